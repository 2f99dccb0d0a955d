"""preceptor: real-world input -> tensor -> model -> tensor -> real-world output."""
