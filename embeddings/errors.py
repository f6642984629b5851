"""What can go wrong with models and index files."""


class EncoderError(Exception):
    """A model cannot be had, or its weights are not the expected ones."""


class IndexFileError(Exception):
    """A file is no index of ours, or not all of one."""
