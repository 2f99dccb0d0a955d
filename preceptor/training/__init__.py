"""The one loop, and what it needs: optimisers, schedules, regularisers, checkpoints, the pace.

training = Training(net, TrainingPlan(), epochs=20, seed=0)
for epoch in train(training, (x,), y, loss):
    print(epoch.number, epoch.loss)
"""

from preceptor.training.loop import Epoch, Loss, train
from preceptor.training.pace import Pace, measure_pace
from preceptor.training.parameters import FlatParameters, Group
from preceptor.training.stack import Material
from preceptor.training.state import Training
from preceptor.training.together import train_together

__all__ = [
    "Epoch",
    "FlatParameters",
    "Group",
    "Loss",
    "Material",
    "Pace",
    "Training",
    "measure_pace",
    "train",
    "train_together",
]
