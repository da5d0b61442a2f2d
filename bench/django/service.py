"""The Django project of test/parity for a WSGI server: gunicorn service:application, in the folder of BENCH_FOLDER."""

import json
import os
import sys

folder, secret = os.environ["BENCH_FOLDER"], os.environ["BENCH_SECRET"]
# The hasher that Django prefers, at its own cost.
sys.argv = ["service", folder, secret, "real"]
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/parity"))

import project
from django.contrib.auth.hashers import get_hasher
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

call_command("migrate", verbosity=0)
for number in range(1, 33):
    user = project.User(username="user%d" % number, email="user%d@example.com" % number)
    # One hash for all: it is not what is measured.
    user.password = project.User.objects.first().password if number > 1 else ""
    if number == 1:
        user.set_password("tangerine-ladder-43-quiet")
    user.save()

import django
import gunicorn
import jwt
import rest_framework

with open(os.path.join(folder, "service.json"), "w") as file:
    versions = {
        "Django": django.__version__,
        "djangorestframework": rest_framework.VERSION,
        "PyJWT": jwt.__version__,
        "gunicorn": gunicorn.__version__,
        "Python": sys.version.split()[0],
    }
    json.dump({"iterations": get_hasher().iterations, "versions": versions}, file)

application = get_wsgi_application()
