"""One plain function a command: configuration and values in, a result out. The public Python API."""
