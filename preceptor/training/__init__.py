"""The one loop, optimisers, schedules, regularisers, checkpoints."""
