package import TLSEngine

/// The files of a listener's `tls`, not yet parsed.
package struct TLSMaterial: Sendable {
  /// nil where nobody is served.
  package var identity: IdentityOptions?
  package var clientCA: [TrustBundleFile]
  /// In the order of the configuration; DER or PEM.
  package var clientCRLs: [[UInt8]] = []
  /// In the order of the configuration.
  package var hosts: [HostMaterial] = []
}

/// The files of an entry of `hosts`; nil where the listener's count.
package struct HostMaterial: Sendable {
  package var identity: IdentityOptions?
  package var clientCA: [TrustBundleFile]?
}

/// The files of an upstream's `tls`, not yet parsed.
package struct UpstreamTLSMaterial: Sendable {
  package var ca: [UInt8]
  /// nil where the gateway shows no certificate.
  package var identity: IdentityOptions?
}
