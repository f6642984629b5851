"""Text to vectors to nearest rows; has never heard of an article."""
