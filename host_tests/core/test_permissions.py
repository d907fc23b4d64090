"""Who may do what: core.permissions. Runs on CPython and on MicroPython."""

from phoneterm.core.permissions import Permissions


def document(rev, aware=True, blind=True, attended=True, classes=("internal",)):
    return {"rev": rev, "multi_user_aware": aware, "blind": blind, "attended": attended, "classes": list(classes)}


def allowed(permissions):
    kinds = ("blind", "attended")
    return [kind + " " + name for kind in kinds for name in ("internal", "national") if permissions.allows(kind, name)]


def test_nothing_is_allowed_before_the_first_document():
    permissions = Permissions()
    assert permissions.revision == -1
    assert allowed(permissions) == []
    assert not permissions.allows_kind("blind")


def test_every_flag_and_the_class_must_allow():
    cases = (
        (document(1), ["blind internal", "attended internal"]),
        (document(1, aware=False), []),
        (document(1, blind=False), ["attended internal"]),
        (document(1, attended=False), ["blind internal"]),
        (document(1, classes=()), []),
        (document(1, classes=("national",)), ["blind national", "attended national"]),
    )
    for given, expected in cases:
        permissions = Permissions()
        assert permissions.replace(given)
        assert allowed(permissions) == expected


def test_an_older_revision_is_ignored_and_an_equal_one_may_come_again():
    permissions = Permissions()
    permissions.replace(document(5))
    assert not permissions.replace(document(4, classes=("national",)))
    assert permissions.replace(document(5))
    assert permissions.revision == 5
    assert allowed(permissions) == ["blind internal", "attended internal"]


def test_a_higher_revision_replaces_all_of_it():
    permissions = Permissions()
    permissions.replace(document(5))
    assert permissions.replace(document(6, attended=False, classes=("national",)))
    assert allowed(permissions) == ["blind national"]


def test_revoking_takes_everything_away_until_a_higher_revision_comes():
    permissions = Permissions()
    permissions.replace(document(5))
    permissions.revoke()
    assert allowed(permissions) == []
    assert not permissions.replace(document(5))
    assert allowed(permissions) == []
    assert permissions.replace(document(6))
    assert allowed(permissions) == ["blind internal", "attended internal"]


def test_revoking_before_the_first_document_lets_any_revision_in():
    permissions = Permissions()
    permissions.revoke()
    assert permissions.replace(document(0))
