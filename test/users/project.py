"""A Django with nothing but its users, over the database it is given; reads commands as lines of JSON."""
import json
import sys

import django
from django.conf import settings

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    iterations = 100_000


database, model = json.loads(sys.argv[1]), sys.argv[2]
settings.configure(
    DATABASES={"default": database},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    PASSWORD_HASHERS=["__main__.QuickHasher"],
    USE_TZ=True,
    SECRET_KEY="only-for-tests",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import update_last_login
from django.core.management import call_command

call_command("migrate", verbosity=0)
if model != "auth_user":
    # A custom model's table: the same columns under another name, with a wider id.
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"alter table auth_user rename to {model}")
        if connection.vendor == "postgresql":
            cursor.execute(f"alter table {model} alter column id type bigint")
    get_user_model()._meta.db_table = model
User = get_user_model()


def run(command, username, value=None):
    if command == "create":
        return User.objects.create_user(username, **value).pk
    if command == "authenticate":
        user = authenticate(username=username, password=value)
        if user is not None:
            update_last_login(None, user)
        return user and user.pk
    if command == "delete":
        return User.objects.get(username=username).delete()[0]
    user = User.objects.get(username=username)
    if command == "password":
        user.set_password(value)
    elif command == "set":
        for name, one in value.items():
            setattr(user, name, one)
    elif command == "read":
        return {
            name: one.isoformat() if hasattr(one, "isoformat") else one
            for name, one in vars(user).items()
            if not name.startswith("_")
        }
    user.full_clean(exclude=["last_name", "email"])
    user.save()
    return True


print("ready", flush=True)
for line in sys.stdin:
    try:
        print(json.dumps({"result": run(*json.loads(line))}), flush=True)
    except Exception as error:
        print(json.dumps({"error": repr(error)}), flush=True)
