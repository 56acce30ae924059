internal import AccessPolicy
internal import Patterns

/// A field and the value that it must have.
struct FieldValue: Hashable, Comparable {
  var field: Field
  var value: ExactText

  static func < (left: Self, right: Self) -> Bool {
    if left.field != right.field { return left.field.rawValue < right.field.rawValue }
    return left.value < right.value
  }
}

/// Who somebody is, by what a certification authority has signed: the strongest name that stays when a
/// certificate is renewed.
enum Identity: Hashable, Comparable {
  /// The one URI of an X.509-SVID (SPIFFE X.509-SVID §2 asks for exactly one).
  case spiffe(ExactText)
  case dns(ExactText)
  case subject(FieldValue, issuer: FieldValue)
  /// The certificate itself: holds until it is renewed.
  case certificate(ExactText)
  /// A caller that policies name already.
  case kept(ExactText)

  /// - Returns: nil where the certificate has no name that could be matched exactly.
  init?(_ facts: Facts) {
    if case .texts(let uris)? = facts[.sanURI], uris.count == 1, uris[0].hasPrefix("spiffe://") {
      self = .spiffe(ExactText(uris[0]))
    } else if case .texts(let names)? = facts[.sanDNS], names.count == 1, !names[0].isEmpty {
      self = .dns(ExactText(Field.sanDNS.canonical(names[0])))
    } else if case .text(let subject)? = facts[.subjectDN], !subject.isEmpty,
      case .text(let issuer)? = facts[.issuerDN]
    {
      self = .subject(
        FieldValue(field: .subjectDN, value: ExactText(subject)),
        issuer: FieldValue(field: .issuerDN, value: ExactText(issuer)))
    } else if case .text(let hash)? = facts[.sha256], !hash.isEmpty {
      self = .certificate(ExactText(Field.sha256.canonical(hash)))
    } else {
      return nil
    }
  }

  /// What a caller entry asks for.
  var match: [FieldValue] {
    switch self {
    case .spiffe(let uri): [FieldValue(field: .sanURI, value: uri)]
    case .dns(let name): [FieldValue(field: .sanDNS, value: name)]
    case .subject(let subject, let issuer): [subject, issuer]
    case .certificate(let hash): [FieldValue(field: .sha256, value: hash)]
    case .kept: []
    }
  }

  /// The fields that an identity is taken from.
  static let fields: Set<Field> = [.sanURI, .sanDNS, .subjectDN, .issuerDN, .sha256]

  private var rank: Int {
    switch self {
    case .spiffe: 0
    case .dns: 1
    case .subject: 2
    case .certificate: 3
    case .kept: 4
    }
  }

  private var key: ExactText {
    switch self {
    case .spiffe(let text), .dns(let text), .certificate(let text), .kept(let text): text
    case .subject(let subject, let issuer): ExactText(subject.value.text + "\n" + issuer.value.text)
    }
  }

  /// The stronger kind first: the first caller entry that matches names the caller.
  static func < (left: Self, right: Self) -> Bool {
    (left.rank, left.key) < (right.rank, right.key)
  }
}

/// What was let in: somebody at a listener, with what the client said of itself.
struct Access: Hashable, Comparable {
  /// nil: any.
  var listener: ExactText?
  /// In the order of fields; a nil value says that the client did not name one.
  var claims: [Claim]

  struct Claim: Hashable, Comparable {
    var field: Field
    var value: ExactText?

    static func < (left: Self, right: Self) -> Bool {
      if left.field != right.field { return left.field.rawValue < right.field.rawValue }
      switch (left.value, right.value) {
      case (nil, nil): return false
      case (nil, _): return true
      case (_, nil): return false
      case (let left?, let right?): return left < right
      }
    }
  }

  /// - Parameter generalised: fields that are not asked for.
  init(_ facts: Facts, generalised: Set<Field>) {
    if !generalised.contains(.listener), case .text(let name)? = facts[.listener] {
      listener = ExactText(name)
    }
    // The same name under another label is somebody else.
    let label: [Field] = facts[.trustLabel] == nil ? [] : [.trustLabel]
    claims = (label + Self.claimed(facts)).filter { !generalised.contains($0) }.map { field in
      guard case .text(let text)? = facts[field] else { return Claim(field: field, value: nil) }
      return Claim(field: field, value: ExactText(text))
    }
  }

  /// What clients of a protocol say of themselves. What one left out ties, too: a connection that asks for
  /// replication is another thing than one that does not.
  private static func claimed(_ facts: Facts) -> [Field] {
    guard case .text(let name)? = facts[.protocol] else { return claims.filter { facts[$0] != nil } }
    switch name {
    case "postgres": return [.postgresUser, .postgresDatabase, .postgresApplication, .postgresReplication]
    case "mysql": return [.mysqlUser, .mysqlDatabase]
    default: return []
    }
  }

  /// All fields that an access is made of, save for the listener.
  static let fields = Set(claims + [.trustLabel])

  static let claims: [Field] = [
    .postgresUser, .postgresDatabase, .postgresApplication, .postgresReplication, .mysqlUser, .mysqlDatabase,
  ]

  static func < (left: Self, right: Self) -> Bool {
    let (mine, theirs) = (left.listener ?? ExactText(""), right.listener ?? ExactText(""))
    return mine == theirs ? left.claims.lexicographicallyPrecedes(right.claims) : mine < theirs
  }
}
