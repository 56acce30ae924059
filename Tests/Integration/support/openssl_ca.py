"""A CA as `openssl ca` keeps it: a database of what was issued, and CRLs made of it."""

import subprocess

CONFIGURATION = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
crlnumber = {folder}/crlnumber
default_md = sha256
unique_subject = no
[plain]
[delta]
2.5.29.27 = critical,DER:020101
[indirect]
issuingDistributionPoint = critical,@indirect_point
[indirect_point]
indirectCRL = TRUE
[users]
issuingDistributionPoint = critical,@users_point
[users_point]
onlyuser = TRUE
[partition]
issuingDistributionPoint = critical,@partition_point
[partition_point]
fullname = URI:http://crl.example/1
"""


class OpenSSLCA:
    """Keeps the database of a CA that is there already: an `Identity` of support.pki."""

    def __init__(self, folder, ca):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = ca
        (folder / "ca.cnf").write_text(CONFIGURATION.format(folder=folder))
        (folder / "index.txt").write_text("")
        (folder / "crlnumber").write_text("01\n")

    def _run(self, *words):
        subprocess.run(
            ["openssl", "ca", "-config", self.folder / "ca.cnf", "-cert", self.ca.certificate, "-keyfile", self.ca.key,
             *words], check=True, capture_output=True, timeout=60)

    def revoke(self, identity, reason="keyCompromise"):
        self._run("-revoke", identity.certificate, "-crl_reason", reason)

    def crl(self, name="clients.crl", *, extensions="plain", days=30, last=None, following=None, der=False):
        """Makes a CRL of what was revoked so far; times as `openssl ca` takes them, such as 20260101000000Z."""
        path = self.folder / name
        times = ["-crl_lastupdate", last, "-crl_nextupdate", following] if last else ["-crldays", str(days)]
        self._run("-gencrl", "-crlexts", extensions, *times, "-out", path)
        if der:
            subprocess.run(["openssl", "crl", "-in", path, "-outform", "DER", "-out", path], check=True, timeout=60)
        return path
