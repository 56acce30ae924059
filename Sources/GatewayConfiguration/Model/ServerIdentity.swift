package import AccessPolicy

/// The files of what the gateway shows of itself: to clients, or to an upstream.
package struct IdentityFiles: Sendable {
  package enum Source: Sendable {
    /// As many keys as certificates, in any order; one pair for each type of key.
    case pem(certificates: [Located<String>], privateKeys: [Located<String>])
    /// One certificate and its key.
    case pkcs12(Located<String>)
  }

  package var source: Source
  /// What keys are encrypted with.
  package var passphrase: Located<String>?
  /// Of servers only.
  package var ocspResponses: [Located<String>]

  package init(source: Source, passphrase: Located<String>? = nil, ocspResponses: [Located<String>] = []) {
    self.source = source
    self.passphrase = passphrase
    self.ocspResponses = ocspResponses
  }

  /// - Parameter position: which of several, from 0.
  /// - Returns: the file of a certificate, which is the first one where there are fewer.
  package func certificate(_ position: Int) -> Located<String> {
    switch source {
    case .pem(let files, _): files[min(max(0, position), files.count - 1)]
    case .pkcs12(let file): file
    }
  }

  /// The same for a private key.
  package func privateKey(_ position: Int) -> Located<String> {
    switch source {
    case .pem(_, let files): files[min(max(0, position), files.count - 1)]
    case .pkcs12(let file): file
    }
  }
}

/// A file of trust anchors for clients.
package struct ClientCAFile: Sendable {
  /// The fact `trust_label` of chains that end here.
  package var label: Located<String>?
  package var file: Located<String>

  package init(label: Located<String>? = nil, file: Located<String>) {
    self.label = label
    self.file = file
  }
}

/// What differs for clients that ask for certain server names.
package struct HostTLS: Sendable {
  /// At least one: lower case, A-labels, no dot at the end; wildcards with `*.` in front.
  package var serverNames: [Located<String>]
  /// nil: the listener's.
  package var identity: IdentityFiles?
  /// nil: the listener's.
  package var clientCA: [ClientCAFile]?

  package init(
    serverNames: [Located<String>], identity: IdentityFiles? = nil, clientCA: [ClientCAFile]? = nil
  ) {
    self.serverNames = serverNames
    self.identity = identity
    self.clientCA = clientCA
  }

  /// As reports speak of it.
  package var description: String { serverNames.map(\.value).joined(separator: ", ") }
}

/// What a client gets that asks for a name of no host, or for none.
package enum UnknownServerName: String, Sendable, CaseIterable {
  /// The listener's own certificate and client CA.
  case `default`
  case refuse
}

extension ServerTLS {
  /// Of the listener's trust anchors and of its hosts'.
  package var trustLabels: [String] {
    (clientCA + hosts.flatMap { $0.clientCA ?? [] }).compactMap { $0.label?.value }
  }
}
