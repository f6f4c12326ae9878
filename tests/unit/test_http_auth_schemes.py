"""Basic and Digest as the standards' own examples have them."""

from __future__ import annotations

import pytest

from capture_daemon.sources.http.auth import (
    Authorizer,
    Challenge,
    Credentials,
    challenges,
    digest,
    preferred,
)

MUFASA = Credentials("Mufasa", "Circle of Life")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
RFC_7616 = [
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
    f'nonce="{NONCE}", opaque="{OPAQUE}"',
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, '
    f'nonce="{NONCE}", opaque="{OPAQUE}"',
]


@pytest.mark.parametrize(
    ("which", "response"),
    [
        (0, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (1, "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_the_examples_of_rfc_7616(which: int, response: str) -> None:
    header = digest(
        MUFASA,
        challenges(RFC_7616)[which],
        target="/dir/index.html",
        client_nonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert header.startswith('Digest username="Mufasa", realm="http-auth@example.org", nonce="7yp')
    for expected in (f'response="{response}"', "qop=auth", "nc=00000001", f'opaque="{OPAQUE}"'):
        assert expected in header


def test_a_hashed_name_with_letters_beyond_ascii() -> None:
    # RFC 7616, 3.9.2, as its erratum 4897 has the digits.
    offered = challenges(
        [
            'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
            'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
            'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
        ]
    )
    header = digest(
        Credentials("Jäsøn Doe", "Secret, or not?"),
        offered[0],
        target="/doe.json",
        client_nonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    name = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    assert f'username="{name}"' in header
    assert f'response="{response}"' in header
    assert "userhash=true" in header


@pytest.mark.parametrize(
    ("qop", "response"),
    [
        ('qop="auth,auth-int", ', "6629fae49393a05397450978507c4ef1"),
        ("", "670fd8c2df070c60b045671b8b24ff02"),
    ],
)
def test_the_example_of_rfc_2617_and_the_same_without_qop(qop: str, response: str) -> None:
    offered = challenges(
        [f'Digest realm="testrealm@host.com", {qop}nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"']
    )
    header = digest(
        Credentials("Mufasa", "Circle Of Life"),
        offered[0],
        target="/dir/index.html",
        client_nonce="0a4f113b",
    )
    assert f'response="{response}"' in header
    assert ("nc=" in header) == bool(qop)
    assert "algorithm" not in header


def test_basic_is_what_rfc_7617_says() -> None:
    assert Credentials("Aladdin", "open sesame").basic() == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert Credentials("test", "123£").basic() == "Basic dGVzdDoxMjPCow=="
    assert "sesame" not in repr(Credentials("Aladdin", "open sesame"))


def test_challenges_are_told_apart_wherever_they_stand() -> None:
    found = challenges(
        [
            'Negotiate, Basic realm="a, Digest nonce=1 \\" b", charset="UTF-8"',
            'digest REALM=x,nonce="a=b,c" , stale=FALSE',
            "",
        ]
    )
    assert [each.scheme for each in found] == ["negotiate", "basic", "digest"]
    assert found[1].parameters == {"realm": 'a, Digest nonce=1 " b', "charset": "UTF-8"}
    assert found[2].parameters == {"realm": "x", "nonce": "a=b,c", "stale": "FALSE"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Negotiate",
        "Digest",
        'Digest nonce="1", algorithm=X',
        'Digest nonce="1", qop="auth-int"',
    ],
)
def test_what_cannot_be_answered_is_not_preferred(header: str) -> None:
    assert preferred(challenges([header])) is None


def test_the_strongest_is_preferred() -> None:
    weaker = [
        Challenge("basic", {}),
        Challenge("digest", {"nonce": "1"}),
        Challenge("digest", {"nonce": "2", "algorithm": "sha-256-sess"}),
        Challenge("digest", {"nonce": "3", "algorithm": "SHA-512-256"}),
    ]
    for count in range(1, 5):
        assert preferred(weaker[:count]) is weaker[count - 1]
        assert preferred(reversed(weaker[:count])) is weaker[count - 1]


def test_a_session_digest_differs_with_the_clients_nonce() -> None:
    header = 'Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"'
    answers = {
        digest(MUFASA, challenges([header])[0], target="/", client_nonce=nonce).partition(
            "response="
        )[2][:34]
        for nonce in ("1", "2")
    }
    assert len(answers) == 2


def test_nothing_in_a_challenge_can_add_a_header_line() -> None:
    offered = Challenge("digest", {"nonce": 'a"\r\nX: y', "realm": "\x00b", "opaque": "\n"})
    header = digest(MUFASA, offered, target="/", client_nonce="1")
    assert header.isprintable()


def test_a_password_is_shown_only_where_it_was_asked_for() -> None:
    nobody = Authorizer(None)
    assert not nobody.refused(["Basic realm=x"], sent=False)
    assert nobody.header("/") == ""
    some = Authorizer(MUFASA)
    assert some.header("/") == ""
    assert not some.refused(["Negotiate"], sent=False)
    assert some.header("/") == ""
    assert some.refused(["Basic realm=x"], sent=False)
    assert some.header("/").startswith("Basic ")
    assert not some.refused(["Basic realm=x"], sent=True)


@pytest.mark.parametrize("piece", ['\\"', "a", "a ", ",", ", ", "a=", ' "', 'a="\\" ', "-", "\\"])
def test_a_header_is_gone_over_once_whatever_a_server_repeats_in_it(piece: str) -> None:
    # A pattern that begins anew at each byte would take hours for this.
    for begin in ("Digest ", 'Digest a="', 'Digest "'):
        challenges([begin + piece * 500_000])


def test_a_quoted_value_that_is_not_closed_goes_to_the_end() -> None:
    (found,) = challenges(['Digest nonce=x, realm="a, Basic b'])
    assert (found.scheme, found.parameters) == ("digest", {"nonce": "x", "realm": "a, Basic b"})
