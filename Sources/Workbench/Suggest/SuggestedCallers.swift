internal import AccessPolicy
internal import Patterns

/// The callers of a suggestion: a name for each identity, and one entry for many where that was asked for.
struct SuggestedCallers {
  struct Entry {
    var name: String
    /// Values as they stand in a policy file: `{name}` captures where ``isTemplate`` says so.
    var match: [FieldValue]
    var isTemplate: Bool
  }

  /// Identities that one entry with a capture names.
  struct Family {
    var entry: Entry
    /// Reaches all of them in rules.
    var glob: String
    /// What is captured of each.
    var members: [Identity: String]
  }

  private(set) var entries: [Entry] = []
  private(set) var families: [Family] = []
  private(set) var names: [Identity: String] = [:]

  /// First segments of names that say what kind of name it is, so that no two kinds meet.
  private static let reserved: Set<String> = ["spiffe", "dns", "subject", "certificate", "other"]
  static let capture = "name"

  init(_ identities: [Identity], generalised: Set<Field>) {
    let domains = Set(identities.compactMap(Self.trustDomain))
    let isPlural = domains.count > 1
    var byParent: [String: [Identity]] = [:]
    for identity in identities {
      guard let (parent, _) = Self.split(identity, generalised) else { continue }
      byParent[parent, default: []].append(identity)
    }
    var exact: [Identity] = []
    for identity in identities {
      guard let (parent, _) = Self.split(identity, generalised), byParent[parent, default: []].count > 1
      else {
        exact.append(identity)
        continue
      }
    }
    var taken: Set<String> = []
    for identity in exact.sorted() {
      let name = Self.unique(Self.name(of: identity, isPlural), &taken)
      names[identity] = name
      if !identity.match.isEmpty {
        entries.append(Entry(name: name, match: identity.match, isTemplate: false))
      }
    }
    for parent in byParent.keys.sorted() where byParent[parent, default: []].count > 1 {
      addFamily(parent, byParent[parent, default: []], isPlural, generalised)
    }
  }

  private mutating func addFamily(
    _ parent: String, _ members: [Identity], _ isPlural: Bool, _ generalised: Set<Field>
  ) {
    guard let first = members.first, let field = first.match.first?.field else { return }
    let place = "{\(Self.capture)}"
    // `parent` has no place of its own for the capture: the last segment of a URI, the first label of a name.
    let pattern = field == .sanURI ? "\(parent)/\(place)" : "\(place).\(parent)"
    let root: String
    if field == .sanURI {
      // A stand-in that a name may have, taken off again: names are made in one place.
      let example = Self.name(of: .spiffe(ExactText(parent + "/x")), isPlural)
      root = String(example.dropLast(2))
    } else {
      root = "dns/\(parent)"
    }
    var values: [Identity: String] = [:]
    for member in members {
      guard let (_, value) = Self.split(member, generalised) else { continue }
      values[member] = value
      names[member] = root.isEmpty ? value : "\(root)/\(value)"
    }
    let entry = Entry(
      name: root.isEmpty ? place : "\(root)/\(place)",
      match: [FieldValue(field: field, value: ExactText(pattern))], isTemplate: true)
    entries.append(entry)
    families.append(Family(entry: entry, glob: root.isEmpty ? "*" : "\(root)/*", members: values))
  }

  /// The part that a capture would stand for, and the rest; nil where nothing of it may be generalised.
  private static func split(_ identity: Identity, _ generalised: Set<Field>) -> (
    parent: String, value: String
  )? {
    switch identity {
    case .spiffe(let uri) where generalised.contains(.sanURI):
      let parts = uri.text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count >= 4, let last = parts.last.map(String.init) else { return nil }
      return checked(parts.dropLast().joined(separator: "/"), last)
    case .dns(let name) where generalised.contains(.sanDNS):
      let parts = name.text.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count >= 3 else { return nil }
      return checked(parts.dropFirst().joined(separator: "."), String(parts[0]))
    default: return nil
    }
  }

  private static func checked(_ parent: String, _ value: String) -> (parent: String, value: String)? {
    guard CapturePattern.isSafe(value), isPlain(parent), isPlain(value) else { return nil }
    return (parent, value)
  }

  private static func isPlain(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "._-/:@=~+".utf8.contains(byte)
        }
      }
  }

  private static func trustDomain(_ identity: Identity) -> String? {
    guard case .spiffe(let uri) = identity else { return nil }
    return uri.text.dropFirst("spiffe://".count).split(separator: "/", maxSplits: 1).first.map(String.init)
  }

  private static func name(of identity: Identity, _ isPlural: Bool) -> String {
    switch identity {
    case .spiffe(let uri):
      let rest = String(uri.text.dropFirst("spiffe://".count))
      let path = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      let name = isPlural || path.count < 2 || path[1].isEmpty ? rest : String(path[1])
      guard isPlain(name) else { return "other/" + cleaned(name) }
      let head = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).first.map(
        String.init)
      return reserved.contains(head ?? "") || name.hasPrefix("group:") ? "spiffe/\(name)" : name
    case .dns(let name): return isPlain(name.text) ? "dns/\(name.text)" : "other/" + cleaned(name.text)
    case .subject(let subject, _): return "subject/" + cleaned(subject.value.text)
    case .certificate(let hash): return "certificate/" + cleaned(String(hash.text.prefix(16)))
    case .kept(let name): return name.text
    }
  }

  private static func cleaned(_ text: String) -> String {
    let bytes = text.utf8.map { byte -> UInt8 in
      isPlain(String(decoding: [byte], as: UTF8.self)) && byte != UInt8(ascii: "/") ? byte : UInt8(ascii: "-")
    }
    return String(decoding: bytes.prefix(80), as: UTF8.self)
  }

  private static func unique(_ name: String, _ taken: inout Set<String>) -> String {
    var candidate = name
    var number = 2
    while !taken.insert(candidate).inserted {
      candidate = "\(name)~\(number)"
      number += 1
    }
    return candidate
  }
}
