@testable import TLSEngine

// Most tests have one certificate, one key and one bundle.

extension IdentityOptions {
  static let none = IdentityOptions(certificates: [[]], privateKeys: [[]])
}

extension ServerContextOptions {
  init(certificateChain: [UInt8], privateKey: [UInt8], clientCA: [UInt8], listener: String) {
    self.init(
      identity: IdentityOptions(certificates: [certificateChain], privateKeys: [privateKey]),
      trust: TrustOptions(bundles: [TrustBundleFile(pem: clientCA)]), listener: listener)
  }

  var certificateChain: [UInt8] {
    get { identity.certificates[0] }
    set { identity.certificates = [newValue] }
  }

  var privateKey: [UInt8] {
    get { identity.privateKeys[0] }
    set { identity.privateKeys = [newValue] }
  }

  var clientCA: [UInt8] {
    get { trust.bundles[0].pem }
    set { trust.bundles = [TrustBundleFile(pem: newValue)] }
  }
}

extension TLSClientOptions {
  var certificateChain: [UInt8] {
    get { identity?.certificates[0] ?? [] }
    set {
      var changed = identity ?? .none
      changed.certificates = [newValue]
      identity = newValue.isEmpty ? nil : changed
    }
  }

  var privateKey: [UInt8] {
    get { identity?.privateKeys[0] ?? [] }
    set {
      var changed = identity ?? .none
      changed.privateKeys = [newValue]
      identity = newValue.isEmpty ? nil : changed
    }
  }
}

extension IssuedCertificate {
  var identity: IdentityOptions { IdentityOptions(certificates: [pem], privateKeys: [keyPEM]) }
}
