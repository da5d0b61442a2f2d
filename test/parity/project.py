"""A small Django project in one file: a recipe service, a simplejwt service and a token decoder, to compare our dialects with.

usage: python3 project.py FOLDER SECRET
Prints one line of JSON with its port and users when it listens, and serves until standard input closes.
"""

import contextlib
import datetime
import io
import json
import os
import sys
import threading

import django
import jwt
from django.conf import settings

FOLDER, SECRET = sys.argv[1:3]
PASSWORD = "correct horse battery"
# Settings name things of this file, whatever it was started as.
sys.modules["project"] = sys.modules[__name__]

settings.configure(
    SECRET_KEY=SECRET,
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="project",
    USE_TZ=True,
    LOGGING_CONFIG=None,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
    ],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend", "project.EmailBackend"],
    PASSWORD_HASHERS=["project.CheapHasher" if len(sys.argv) < 4 else "django.contrib.auth.hashers.PBKDF2PasswordHasher"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(FOLDER, "django.db")}},
    REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"], "UNAUTHENTICATED_USER": None},
)

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class CheapHasher(PBKDF2PasswordHasher):
    iterations = 1000


class EmailBackend:
    """Signs in by e-mail, in its very case."""

    def authenticate(self, request, email=None, password=None):
        from django.contrib.auth.models import User

        user = User.objects.filter(email=email).first() if email else None
        if user is None:
            User().set_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id):
        from django.contrib.auth.models import User

        return User.objects.filter(pk=user_id).first()


django.setup()

from django.contrib.auth import authenticate, get_user_model
from django.http import JsonResponse
from django.urls import path
from rest_framework import authentication, exceptions, permissions, response, serializers, views
from rest_framework_simplejwt.authentication import JWTAuthentication as SimpleAuthentication
from rest_framework_simplejwt.views import TokenBlacklistView, TokenObtainPairView, TokenRefreshView, TokenVerifyView

User = get_user_model()


def issue(user, kind, life, **claims):
    now = datetime.datetime.now(datetime.timezone.utc)
    return jwt.encode({"sub": str(user.pk), **claims, "iat": now, "exp": now + life, "type": kind}, SECRET, algorithm="HS256")


def issue_access(user):
    return issue(user, "access", datetime.timedelta(minutes=30), email=user.email)


def issue_refresh(user):
    return issue(user, "refresh", datetime.timedelta(days=7))


def decode_token(token):
    return jwt.decode(token, SECRET, algorithms=["HS256"])


class RecipeAuthentication(authentication.BaseAuthentication):
    """Names no authenticate_header, so Django REST Framework makes its refusals 403."""

    def authenticate(self, request):
        header = request.headers.get("Authorization", "")
        if not header.startswith("Bearer "):
            return None
        try:
            payload = decode_token(header[len("Bearer ") :])
        except jwt.ExpiredSignatureError:
            raise exceptions.AuthenticationFailed("Token expired.")
        except jwt.InvalidTokenError:
            raise exceptions.AuthenticationFailed("Invalid token.")
        if payload.get("type") != "access":
            raise exceptions.AuthenticationFailed("Invalid token type.")
        user = User.objects.filter(pk=payload["sub"], is_active=True).first()
        if user is None:
            raise exceptions.AuthenticationFailed("User not found.")
        return user, payload


class LoginFields(serializers.Serializer):
    email = serializers.EmailField()
    password = serializers.CharField(write_only=True)


class Open(views.APIView):
    permission_classes = []
    authentication_classes = []


class Login(Open):
    def post(self, request):
        fields = LoginFields(data=request.data)
        fields.is_valid(raise_exception=True)
        user = authenticate(request, **fields.validated_data)
        if user is None:
            return response.Response({"error": "Invalid credentials", "code": "INVALID_CREDENTIALS"}, status=401)
        return response.Response({"access": issue_access(user), "refresh": issue_refresh(user)})


class Refresh(Open):
    def post(self, request):
        token = request.data.get("refresh")
        if not token:
            return response.Response({"error": "Refresh token required", "code": "MISSING_TOKEN"}, status=400)
        try:
            payload = decode_token(token)
        except Exception:
            return response.Response({"error": "Invalid refresh token", "code": "INVALID_TOKEN"}, status=401)
        if payload.get("type") != "refresh":
            return response.Response({"error": "Invalid token type", "code": "WRONG_TOKEN_TYPE"}, status=401)
        user = User.objects.filter(pk=payload["sub"], is_active=True).first()
        if not user:
            return response.Response({"error": "User not found", "code": "USER_NOT_FOUND"}, status=401)
        return response.Response({"access": issue_access(user)})


class Me(views.APIView):
    permission_classes = [permissions.IsAuthenticated]
    authentication_classes = [RecipeAuthentication]

    def get(self, request):
        return response.Response({"id": request.user.pk})


class SimpleMe(Me):
    authentication_classes = [SimpleAuthentication]


def decoded(request):
    """The claims, as a service that only holds the secret reads them."""
    try:
        return JsonResponse(decode_token(request.headers["Authorization"][len("Bearer ") :]))
    except jwt.ExpiredSignatureError:
        return JsonResponse({"detail": "Token has expired"}, status=401)
    except jwt.InvalidTokenError as error:
        return JsonResponse({"detail": "Invalid token", "why": str(error)}, status=401)


def issued(request):
    """A token as the service with `typ` issues it."""
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    claims = {"sub": "1", "exp": now + datetime.timedelta(minutes=15), "iat": now, "typ": "at+jwt"}
    return JsonResponse({"access_token": jwt.encode(claims, SECRET, algorithm="HS256")})


urlpatterns = [
    path("api/auth/login/", Login.as_view()),
    path("api/auth/refresh/", Refresh.as_view()),
    path("api/me/", Me.as_view()),
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/verify/", TokenVerifyView.as_view()),
    path("api/token/blacklist/", TokenBlacklistView.as_view()),
    path("api/simple/me/", SimpleMe.as_view()),
    path("decoded/", decoded),
    path("issued/", issued),
]


def main():
    import rest_framework
    import rest_framework_simplejwt
    from django.core.management import call_command
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    for name, active in (("ada", True), ("bob", False), ("eve", True), ("Zoë", True)):
        user = User.objects.create_user(name, "%s@example.com" % name.replace("ë", "e"), PASSWORD)
        user.is_active = active
        user.save()

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    users = list(User.objects.order_by("pk").values("id", "username", "email", "password", "is_active"))
    versions = {
        "Django": django.__version__,
        "djangorestframework": rest_framework.VERSION,
        "djangorestframework-simplejwt": rest_framework_simplejwt.__version__,
        "PyJWT": jwt.__version__,
    }
    print(json.dumps({"port": server.server_address[1], "users": users, "versions": versions}), flush=True)

    def follow():
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word == "delete":
                User.objects.filter(username=rest).delete()
                print("done", flush=True)
            if word == "shell":
                # As `manage.py shell -c` runs it; the code comes as JSON, and what it prints goes back as JSON.
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    exec(json.loads(rest), {})
                print(json.dumps(printed.getvalue()), flush=True)
        server.shutdown()

    threading.Thread(target=follow, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
