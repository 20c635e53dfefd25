"""How results are shown: terminal, text formats, the HTML page, plots, model cards, TensorBoard."""
