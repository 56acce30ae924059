"""Every path of the NIST Public Key Interoperability Test Suite, verified as a listener does, with its CRLs."""

import concurrent.futures
import json
import os
import subprocess

import pytest

from support.gateway import BINARY
from support.pkits import ANCHOR, PATHS

AT = "2015-06-01T00:00:00Z"
# What comes out otherwise than the suite expects, what is said instead, and why. All of them are valid paths that
# are refused; no path that must be refused is let in.
WEAK = ("crl-weak-signature", "RSA and DSA with SHA-1 are below security level 2")
INDIRECT = ("crl-indirect", "a CA speaks for its own certificates alone: indirect CRLs are refused when they are loaded")
DELTA = ("crl-delta", "delta CRLs are refused when they are loaded")
REASONS = ("crl-scope", "a CRL for some reasons only is refused when it is loaded")
SIGNER = (
    "X509_V_ERR_CRL_SIGNATURE_FAILURE",
    "a key that signs CRLs and no certificates must be an anchor: it is not looked for among what clients send")
SELF_ISSUED = (
    "X509_V_ERR_DIFFERENT_CRL_SCOPE",
    "the same, and the CA's other CRL, whose key is known, speaks of another certificate")
DEVIATIONS = {
    "ValidDSASignaturesTest4": WEAK, "ValidDSAParameterInheritanceTest5": WEAK,
    "ValidBasicSelfIssuedNewWithOldTest4": SELF_ISSUED, "ValidBasicSelfIssuedCRLSigningKeyTest6": SELF_ISSUED,
    "ValidSeparateCertificateandCRLKeysTest19": SIGNER,
    "ValidonlySomeReasonsTest18": REASONS, "ValidonlySomeReasonsTest19": REASONS,
    "ValidIDPwithindirectCRLTest22": INDIRECT, "ValidIDPwithindirectCRLTest24": INDIRECT,
    "ValidIDPwithindirectCRLTest25": INDIRECT, "ValidcRLIssuerTest28": INDIRECT, "ValidcRLIssuerTest29": INDIRECT,
    "ValidcRLIssuerTest30": INDIRECT, "ValidcRLIssuerTest33": INDIRECT,
    "ValiddeltaCRLTest2": DELTA, "ValiddeltaCRLTest5": DELTA, "ValiddeltaCRLTest7": DELTA, "ValiddeltaCRLTest8": DELTA,
}

# Why each path that must be refused is: OpenSSL's name, or the finding for which its CRLs are not loaded.
REFUSALS = {
    "X509_V_ERR_NO_EXPLICIT_POLICY": """
        DifferentPoliciesTest12 DifferentPoliciesTest4 DifferentPoliciesTest5 DifferentPoliciesTest7
        DifferentPoliciesTest8 DifferentPoliciesTest9 InvalidPolicyMappingTest10 InvalidPolicyMappingTest2
        InvalidPolicyMappingTest4 InvalidRequireExplicitPolicyTest3 InvalidRequireExplicitPolicyTest5
        InvalidSelfIssuedinhibitAnyPolicyTest10 InvalidSelfIssuedinhibitAnyPolicyTest8
        InvalidSelfIssuedinhibitPolicyMappingTest10 InvalidSelfIssuedinhibitPolicyMappingTest11
        InvalidSelfIssuedinhibitPolicyMappingTest8 InvalidSelfIssuedinhibitPolicyMappingTest9
        InvalidSelfIssuedrequireExplicitPolicyTest7 InvalidSelfIssuedrequireExplicitPolicyTest8
        InvalidinhibitAnyPolicyTest1 InvalidinhibitAnyPolicyTest4 InvalidinhibitAnyPolicyTest5
        InvalidinhibitAnyPolicyTest6 InvalidinhibitPolicyMappingTest1 InvalidinhibitPolicyMappingTest3
        InvalidinhibitPolicyMappingTest5 InvalidinhibitPolicyMappingTest6
    """,
    "X509_V_ERR_UNABLE_TO_GET_CRL": """
        InvalidBadCRLIssuerNameTest5 InvalidWrongCRLTest6 InvalidcRLIssuerTest27 MissingCRLTest1
    """,
    "X509_V_ERR_CRL_SIGNATURE_FAILURE": """
        InvalidBadCRLSignatureTest4 InvalidSeparateCertificateandCRLKeysTest20
        InvalidSeparateCertificateandCRLKeysTest21
    """,
    "X509_V_ERR_DIFFERENT_CRL_SCOPE": """
        InvalidBasicSelfIssuedCRLSigningKeyTest7 InvalidBasicSelfIssuedNewWithOldTest5
        InvaliddistributionPointTest3 InvaliddistributionPointTest8 InvaliddistributionPointTest9
        InvalidonlyContainsCACertsCRLTest12 InvalidonlyContainsUserCertsCRLTest11
    """,
    "X509_V_ERR_INVALID_CA": """
        InvalidBasicSelfIssuedCRLSigningKeyTest8 InvalidMissingbasicConstraintsTest1 InvalidcAFalseTest2
        InvalidcAFalseTest3 InvalidkeyUsageCriticalkeyCertSignFalseTest1
        InvalidkeyUsageNotCriticalkeyCertSignFalseTest2
    """,
    "X509_V_ERR_CERT_REVOKED": """
        InvalidBasicSelfIssuedOldWithNewTest2 InvalidLongSerialNumberTest18 InvalidNegativeSerialNumberTest15
        InvalidRevokedCATest2 InvalidRevokedEETest3 InvaliddistributionPointTest2 InvaliddistributionPointTest6
    """,
    "X509_V_ERR_CERT_SIGNATURE_FAILURE": """
        InvalidCASignatureTest2 InvalidEESignatureTest3
    """,
    "X509_V_ERR_CERT_HAS_EXPIRED": """
        InvalidCAnotAfterDateTest5 InvalidEEnotAfterDateTest6 Invalidpre2000UTCEEnotAfterDateTest7
    """,
    "X509_V_ERR_CERT_NOT_YET_VALID": """
        InvalidCAnotBeforeDateTest1 InvalidEEnotBeforeDateTest2
    """,
    "X509_V_ERR_PERMITTED_VIOLATION": """
        InvalidDNSnameConstraintsTest31 InvalidDNSnameConstraintsTest38 InvalidDNandRFC822nameConstraintsTest28
        InvalidDNandRFC822nameConstraintsTest29 InvalidDNnameConstraintsTest12 InvalidDNnameConstraintsTest13
        InvalidDNnameConstraintsTest2 InvalidDNnameConstraintsTest3 InvalidRFC822nameConstraintsTest22
        InvalidRFC822nameConstraintsTest24 InvalidSelfIssuedDNnameConstraintsTest20
        InvalidURInameConstraintsTest35
    """,
    "X509_V_ERR_EXCLUDED_VIOLATION": """
        InvalidDNSnameConstraintsTest33 InvalidDNnameConstraintsTest10 InvalidDNnameConstraintsTest15
        InvalidDNnameConstraintsTest16 InvalidDNnameConstraintsTest17 InvalidDNnameConstraintsTest7
        InvalidDNnameConstraintsTest8 InvalidDNnameConstraintsTest9 InvalidRFC822nameConstraintsTest26
        InvalidURInameConstraintsTest37
    """,
    "crl-weak-signature": """
        InvalidDSASignatureTest6
    """,
    "crl-indirect": """
        InvalidIDPwithindirectCRLTest23 InvalidIDPwithindirectCRLTest26 InvalidcRLIssuerTest31
        InvalidcRLIssuerTest32 InvalidcRLIssuerTest34 InvalidcRLIssuerTest35
    """,
    "X509_V_ERR_INVALID_POLICY_EXTENSION": """
        InvalidMappingFromanyPolicyTest7 InvalidMappingToanyPolicyTest8
    """,
    "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY": """
        InvalidNameChainingEETest1 InvalidNameChainingOrderTest2
    """,
    "X509_V_ERR_CRL_HAS_EXPIRED": """
        InvalidOldCRLnextUpdateTest11 Invalidpre2000CRLnextUpdateTest12
    """,
    "X509_V_ERR_PATH_LENGTH_EXCEEDED": """
        InvalidSelfIssuedpathLenConstraintTest16 InvalidpathLenConstraintTest10 InvalidpathLenConstraintTest11
        InvalidpathLenConstraintTest12 InvalidpathLenConstraintTest5 InvalidpathLenConstraintTest6
        InvalidpathLenConstraintTest9
    """,
    "crl-extension": """
        InvalidUnknownCRLEntryExtensionTest8 InvalidUnknownCRLExtensionTest10 InvalidUnknownCRLExtensionTest9
    """,
    "X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION": """
        InvalidUnknownCriticalCertificateExtensionTest2
    """,
    "crl-delta": """
        InvaliddeltaCRLIndicatorNoBaseTest1 InvaliddeltaCRLTest10 InvaliddeltaCRLTest3 InvaliddeltaCRLTest4
        InvaliddeltaCRLTest6 InvaliddeltaCRLTest9
    """,
    "X509_V_ERR_KEYUSAGE_NO_CRL_SIGN": """
        InvalidkeyUsageCriticalcRLSignFalseTest4 InvalidkeyUsageNotCriticalcRLSignFalseTest5
    """,
    "crl-scope": """
        InvalidonlyContainsAttributeCertsTest14 InvalidonlySomeReasonsTest15 InvalidonlySomeReasonsTest16
        InvalidonlySomeReasonsTest17 InvalidonlySomeReasonsTest20 InvalidonlySomeReasonsTest21
    """,
}
REASON = {name: code for code, names in REFUSALS.items() for name in names.split()}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """What `explain` says of each path: the verification's error or "ok", or why the CRLs are not loaded."""
    folder = tmp_path_factory.mktemp("pkits")
    (folder / "policy.yaml").write_text("version: 1\ncallers: [{name: a, match: {subject_cn: {present: true}}}]\n")
    (folder / "anchor.pem").write_bytes(
        subprocess.run(["openssl", "x509", "-inform", "DER", "-in", ANCHOR], check=True, capture_output=True).stdout)

    def verdict(path):
        chain, crls = path.write(folder)
        configuration = {
            "version": 1, "policies": ["policy.yaml"], "upstreams": [{"name": "back", "address": "127.0.0.1:9"}],
            "listeners": [{"name": "front", "listen": "127.0.0.1:9", "upstream": "back", "tls": {
                "certificate": "none", "private_key": "none", "client_ca": "anchor.pem", "crl_required": True,
                **({"client_crl": [str(crl) for crl in crls]} if crls else {})}}],
        }
        file = folder / f"{path.name}.yaml"
        file.write_text(json.dumps(configuration))
        done = subprocess.run(
            [BINARY, "explain", "--config", file, "--listener", "front", "--certificate", chain, "--at", AT,
             "--format", "json"], capture_output=True, text=True, timeout=60)
        if done.returncode == 2:
            return "not loaded: " + done.stderr + done.stdout
        said = json.loads(done.stdout)["verification"]
        return "ok" if said["ok"] else said["error"] or "malformed"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip((path.name for path in PATHS), pool.map(verdict, PATHS)))


def test_the_suite_is_whole():
    assert len(PATHS) == 224
    assert sum(path.expected for path in PATHS) == 103
    # What is expected here is what the suite expects, save for the deviations, which refuse.
    assert set(DEVIATIONS) <= {path.name for path in PATHS if path.expected}
    assert set(REASON) == {path.name for path in PATHS if not path.expected}


@pytest.mark.parametrize("path", PATHS, ids=[path.name for path in PATHS])
def test_path(path, verdicts):
    verdict = verdicts[path.name]
    if path.name in DEVIATIONS:
        assert path.expected and DEVIATIONS[path.name][0] in verdict
    else:
        reason = REASON.get(path.name)
        assert verdict == "ok" if reason is None else reason in verdict, verdict
