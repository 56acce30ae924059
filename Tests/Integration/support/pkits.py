"""The NIST Public Key Interoperability Test Suite: paths with what is expected of them.

Each signed mail of the suite holds the certificates and CRLs of one path, and its name says what a verifier
with the default settings of RFC 5280 §6.1.1 (any policy, none required) must come to.
"""

import email
import pathlib

import cryptography_vectors
from asn1crypto import cms, parser, pem

FOLDER = pathlib.Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
ANCHOR = FOLDER / "certs" / "TrustAnchorRootCertificate.crt"

# Sections 4.8 and 4.12.3 name their paths without saying Valid or Invalid.
VALID = {
    "AllCertificatesSamePolicyTest1", "AllCertificatesNoPoliciesTest2", "DifferentPoliciesTest3",
    "OverlappingPoliciesTest6", "AllCertificatesSamePoliciesTest10", "AllCertificatesAnyPolicyTest11",
    "AllCertificatesSamePoliciesTest13", "AnyPolicyTest14", "UserNoticeQualifierTest15",
    "UserNoticeQualifierTest16", "UserNoticeQualifierTest17", "UserNoticeQualifierTest18",
    "UserNoticeQualifierTest19", "CPSPointerQualifierTest20", "inhibitAnyPolicyTest3",
}
INVALID = {
    "MissingCRLTest1", "DifferentPoliciesTest4", "DifferentPoliciesTest5", "DifferentPoliciesTest7",
    "DifferentPoliciesTest8", "DifferentPoliciesTest9", "DifferentPoliciesTest12",
}


def _elements(contents):
    """The elements of a SET, one after the other."""
    elements = []
    while contents:
        length = parser.peek(contents)
        elements.append(contents[:length])
        contents = contents[length:]
    return elements


class Path:
    """One path of the suite: `.name`, `.expected` (whether it is valid), and what belongs to it in DER."""

    def __init__(self, mail):
        self.name = mail.stem.removeprefix("Signed")
        if self.name.startswith("Valid") or self.name in VALID:
            self.expected = True
        else:
            assert self.name.startswith("Invalid") or self.name in INVALID, self.name
            self.expected = False
        self.mail = mail

    def read(self):
        """The certificates, the signer's first, and the CRLs, as they are in the mail."""
        message = email.message_from_bytes(self.mail.read_bytes())
        [signature] = [part for part in message.walk() if "pkcs7-signature" in part.get_content_type()]
        signed = cms.ContentInfo.load(signature.get_payload(decode=True))["content"]
        sid = signed["signer_infos"][0]["sid"].chosen
        # The bytes as they are: asn1crypto writes some of them anew.
        certificates = _elements(signed["certificates"].contents)
        own = [
            der for der, each in zip(certificates, signed["certificates"])
            if (each.chosen.serial_number, each.chosen.issuer) == (sid["serial_number"].native, sid["issuer"])]
        return own + [der for der in certificates if der not in own], _elements(signed["crls"].contents)

    def write(self, folder):
        """Writes the chain in PEM and the CRLs in DER; returns their paths."""
        certificates, crls = self.read()
        chain = folder / f"{self.name}.pem"
        chain.write_bytes(b"".join(pem.armor("CERTIFICATE", der) for der in certificates))
        paths = []
        for index, der in enumerate(crls):
            paths.append(folder / f"{self.name}.{index}.crl")
            paths[-1].write_bytes(der)
        return chain, paths


PATHS = sorted((Path(mail) for mail in (FOLDER / "smime").glob("*.eml")), key=lambda each: each.name)
