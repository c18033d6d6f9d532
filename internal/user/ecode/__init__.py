"""What the user service refuses with: one function per reason of its catalogue.

They are generated from `api/user/http/v1/error_reason.proto`; `login_failed(detail)` returns the
`Fault` to raise.
"""

from api.user.http.v1.errors import *  # noqa: F403 - the proto says which there are
