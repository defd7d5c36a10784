"""djangorestframework-simplejwt in one file. `app.py pairs N` begins N chains and prints them as `assay` reads them.

DB: sqlite or postgres (PGPORT); ROTATE=0 switches rotation and the blacklist off; DATA: a folder of its own.
"""
import json
import os
import sys
from datetime import timedelta

from django.conf import settings

E = os.environ
POSTGRES = {
    'ENGINE': 'django.db.backends.postgresql', 'NAME': 'app', 'USER': 'postgres', 'HOST': '127.0.0.1',
    'PORT': E.get('PGPORT', '5499'), 'CONN_MAX_AGE': 60,
}
SQLITE = {
    'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.path.join(E.get('DATA', '.'), 'simplejwt.sqlite3'),
    'OPTIONS': {'timeout': 20},
}
if not settings.configured:
    rotates = E.get('ROTATE', '1') == '1'
    settings.configure(
        DEBUG=False, SECRET_KEY='a-key-of-a-test-0123456789abcdef-0123456789abcdef', ALLOWED_HOSTS=['*'],
        ROOT_URLCONF=__name__, USE_TZ=True, DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
        INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'rest_framework',
                        'rest_framework_simplejwt', 'rest_framework_simplejwt.token_blacklist'],
        MIDDLEWARE=['django.middleware.common.CommonMiddleware'],
        DATABASES={'default': POSTGRES if E.get('DB') == 'postgres' else SQLITE},
        SIMPLE_JWT={'ACCESS_TOKEN_LIFETIME': timedelta(minutes=5), 'REFRESH_TOKEN_LIFETIME': timedelta(days=1),
                    'ROTATE_REFRESH_TOKENS': rotates, 'BLACKLIST_AFTER_ROTATION': rotates})
    import django
    django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView  # noqa: E402

urlpatterns = [path('api/token/', TokenObtainPairView.as_view()),
               path('api/token/refresh/', TokenRefreshView.as_view())]
application = get_wsgi_application()


def pairs(count):
    from django.contrib.auth.models import User
    from django.db import transaction
    from rest_framework_simplejwt.tokens import RefreshToken
    with transaction.atomic():
        users = [User.objects.get_or_create(username=f'user{number}')[0] for number in range(20)]
        for number in range(count):
            token = RefreshToken.for_user(users[number % len(users)])
            print(json.dumps({'refresh': str(token), 'access': str(token.access_token)}))


if __name__ == '__main__':
    if sys.argv[1] == 'pairs':
        pairs(int(sys.argv[2]))
    else:
        from django.core.management import execute_from_command_line
        execute_from_command_line(['manage'] + sys.argv[1:])
