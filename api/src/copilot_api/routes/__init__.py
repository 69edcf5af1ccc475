"""One file per subject; `app.py` lists them."""
