"""Pages."""
from starlette.responses import PlainTextResponse
def include(app): pass
def error_page(request,status,headers): return PlainTextResponse(str(status),status,headers)
