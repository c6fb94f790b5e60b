"""The one kind of failure a user can put right."""


class TrainingError(Exception):
    """Wrong input or a refused result: shown as one line that names what is wrong and the remedy."""
