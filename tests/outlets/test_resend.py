"""What is sent again, and when: never too much, never too often, whatever the connection does."""

from service.outlets.resend import Reach, Resend

REACH = Reach(count=1000, age_s=60, gap_s=15)


def connected(now_s: float = 0) -> Resend:
    resend = Resend(REACH)
    resend.connected(now_s)
    resend.delivered(7, now_s)
    return resend


def test_at_a_connect_and_once_more_for_who_comes_late() -> None:
    resend = connected()
    assert [resend.take(now_s) for now_s in (0, 1, 14, 15, 16, 31, 46)] == [
        7,
        None,
        None,
        7,
        None,
        None,
        None,
    ]


def test_when_somebody_says_that_he_is_back() -> None:
    resend = connected()
    assert [resend.take(0), resend.take(15)] == [7, 7]
    resend.want(16)
    resend.want(17)
    assert [resend.take(now_s) for now_s in (17, 29, 30, 31, 50)] == [None, None, 7, None, None]
    resend.want(51)
    assert resend.take(51) == 7


def test_what_was_delivered_longer_ago_does_not_come_again() -> None:
    resend = connected()
    resend.delivered(8, 30)
    resend.delivered(9, 61)
    resend.want(62)
    assert resend.take(62) == 8
    resend.want(200)
    assert resend.take(200) is None


def test_an_outage_makes_nothing_older() -> None:
    resend = connected()
    resend.lost(10)
    resend.connected(10_000)
    assert resend.take(10_000) == 7
    resend.lost(10_010)
    resend.connected(20_000)
    assert resend.take(20_000) == 7
    resend.want(20_041)
    assert resend.take(20_041) is None, "61 seconds of connection"


def test_a_storm_of_connects_and_births_is_no_flood() -> None:
    resend, taken = connected(), 0
    for tenth in range(1000):
        resend.connected(tenth / 10)
        resend.want(tenth / 10)
        taken += resend.take(tenth / 10) is not None
        resend.lost(tenth / 10)
    assert taken == 100 // 15 + 1


def test_nothing_where_nobody_wants_it() -> None:
    resend = Resend(Reach(count=0, age_s=60, gap_s=15))
    resend.delivered(7, 0)
    resend.connected(1)
    assert not resend.on
    assert resend.take(1) is None
