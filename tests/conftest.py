"""What all tests share."""

from hypothesis import settings

settings.register_profile("clustersim", deadline=None)  # on a busy machine an example may take any time
settings.load_profile("clustersim")
