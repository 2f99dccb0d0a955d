"""Every picture, once, as an Altair chart."""
