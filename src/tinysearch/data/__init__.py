"""Loading, checking and splitting of image datasets."""
