"""The version, as the package was built with it."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("leasehold")
except PackageNotFoundError:  # run from the source
    VERSION = "0"
