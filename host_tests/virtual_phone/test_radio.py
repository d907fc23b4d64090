"""The access point as the station sees it."""

import pytest
from virtual_phone import radio


@pytest.mark.parametrize(
    ("name", "password", "status"),
    [
        ("office", "secret", radio.GOT_IP),
        ("office", "wrong", radio.WRONG_PASSWORD),
        ("elsewhere", "secret", radio.NO_AP_FOUND),
    ],
)
def test_only_the_right_name_and_password_join(name, password, status):
    point = radio.Radio(("office", "secret"))
    assert point.status == radio.IDLE
    point.join(name, password)
    assert point.status == radio.CONNECTING
    point.settle()
    assert point.status == status


def test_a_joined_station_loses_the_access_point_and_finds_it_again():
    point = radio.Radio(None)
    point.join("any", "")
    point.settle()
    point.switch(False)
    assert point.status == radio.CONNECTING
    point.settle()
    assert point.status == radio.NO_AP_FOUND
    point.switch(True)
    assert point.status == radio.NO_AP_FOUND
    point.settle()
    assert point.status == radio.GOT_IP


def test_the_last_reason_stays_until_the_station_has_joined():
    point = radio.Radio(("office", "secret"))
    point.join("elsewhere", "")
    point.settle()
    point.leave()
    assert point.status == radio.NO_AP_FOUND
    point.join("office", "secret")
    assert point.status == radio.NO_AP_FOUND
    point.settle()
    assert point.status == radio.GOT_IP
    point.leave()
    point.join("office", "secret")
    assert point.status == radio.IDLE
    point.lose_power()
    point.join("office", "secret")
    assert point.status == radio.CONNECTING


def test_a_station_that_never_joined_finds_nothing():
    point = radio.Radio(None)
    point.switch(False)
    point.join("any", "")
    point.settle()
    assert point.status == radio.NO_AP_FOUND
