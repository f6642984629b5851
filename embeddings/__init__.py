"""Text to vectors to nearest rows; has never heard of an article."""

from .threads import settle

# Before any module here imports NumPy or FAISS, which read the environment when they are loaded.
settle()
