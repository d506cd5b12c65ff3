"""Code that would crash, found in an image before it boots."""
