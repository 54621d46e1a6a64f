"""How a node finds and trusts a cluster: token, CA, and the Go words for what fails."""

from standin import httpclient, jointoken


class JoinError(Exception):
    """A refusal, in k3s's own words."""


class Cluster:
    """A cluster seen through one server, trusted by its CA."""

    def __init__(self, url, token, ca_pem, shown=None):
        self.url, self.token, self.ca_pem = url, token, ca_pem
        self.client = httpclient.Client(url, httpclient.context(ca_pem), shown=shown)
        self.warning = None

    def full_token(self, user):
        """The token in its full form."""
        if self.token.bootstrap:
            return f"{jointoken.PREFIX}{jointoken.ca_hash(self.ca_pem)}::{self.token.bootstrap}"
        return jointoken.full(self.ca_pem, user, self.token.password)


def trust(url, text, shown=None):
    """Fetch the server's CA and hold it against the token; raise JoinError in k3s's words."""
    try:
        token = jointoken.parse(text)
    except jointoken.TokenError as problem:
        raise JoinError(str(problem)) from None
    url = url.rstrip("/")
    if not url.startswith("https://"):
        raise JoinError("only https:// URLs are supported, invalid scheme: " + url)
    try:
        ca_pem = httpclient.Client(url, httpclient.context(), shown=shown).get("/cacerts")
    except (httpclient.WireError, httpclient.HTTPError) as problem:
        raise JoinError(f"failed to get CA certs: {problem}") from None
    cluster = Cluster(url, token, ca_pem, shown)
    try:
        cluster.client.get("/cacerts")
    except (httpclient.WireError, httpclient.HTTPError) as problem:
        raise JoinError(f"CA cert validation failed: {problem}") from None
    found = jointoken.ca_hash(ca_pem)
    if not token.ca_hash:
        cluster.warning = ("Cluster CA certificate is not trusted by the host CA bundle, but the token does not "
                           "include a CA hash. Use the full token from the server's node-token file to enable "
                           "Cluster CA validation.")
    elif token.ca_hash != found:
        raise JoinError("token CA hash does not match the Cluster CA certificate hash: "
                        f"{token.ca_hash} != {found}")
    return cluster
