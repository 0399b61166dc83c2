"""How a file system fails: in whose words it is told, and whether it may pass.

Remote ones let through what their libraries raise, which may quote a URL, a user or a
file: only what the operating system says is told in its own words.
"""

import errno

# By name: their libraries are imported where a source needs them, not before.
_CREDENTIALS = {
    "AuthenticationException",
    "BadAuthenticationType",
    "BadHostKeyException",
    "NoCredentialsError",
    "PartialCredentialsError",
    "PasswordRequiredException",
}
_LIBRARIES = ("paramiko", "botocore", "aiobotocore", "aiohttp", "s3fs", "fsspec")
# What is so until somebody mends it.
_LASTING = {
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EINVAL,
}


def is_of_a_source(error: Exception) -> bool:
    """Say whether an error is how a file system fails, not a fault of ours."""
    module = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError | EOFError) or module in _LIBRARIES


def told(error: Exception) -> tuple[str, bool]:
    """Return what failed, for people, and whether it may go well another time."""
    if type(error).__name__ in _CREDENTIALS:
        return "its credentials are refused", False
    if isinstance(error, PermissionError):
        return error.strerror or "Permission denied", False
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return error.strerror or "No such file or directory", False
    if isinstance(error, OSError) and error.errno is not None:
        reason = error.strerror or type(error).__name__
        return reason, error.errno not in _LASTING
    return type(error).__name__, True
