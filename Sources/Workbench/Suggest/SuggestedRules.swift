internal import AccessPolicy
internal import Patterns

/// The rules of a suggestion: each allows exactly the product of its callers and its values.
struct SuggestedRules {
  struct Rule {
    var name: String
    var callers: [String]
    var listener: ExactText?
    /// The values of each field; a nil one stands for none.
    var when: [(field: Field, values: [ExactText?], isTemplate: Bool)]
    /// How many connections it allows.
    var count: Int
  }

  /// What a rule is about, but for the user: users may stand together in a list, as everything else is the same.
  private struct Shape: Hashable {
    var listener: ExactText?
    var rest: [Access.Claim]
    var isTemplate: Bool
    var user: Field?
    var hasUser: Bool
  }

  private struct Body: Hashable {
    var shape: Shape
    var users: [ExactText]
  }

  private(set) var rules: [Rule] = []

  init(_ seen: [Suggestion.Seen], _ callers: SuggestedCallers, reservedNames: Set<String>) {
    var users: [String: [Shape: Set<ExactText>]] = [:]
    var counts: [String: [Shape: Int]] = [:]
    func add(_ caller: String, _ access: Access, isTemplate: Bool, _ count: Int) {
      let user = access.claims.first { $0.field == .postgresUser || $0.field == .mysqlUser }
      let rest = access.claims.filter { $0.field != user?.field }
      let shape = Shape(
        listener: access.listener, rest: rest, isTemplate: isTemplate, user: user?.field,
        hasUser: user?.value != nil)
      users[caller, default: [:]][shape, default: []].formUnion(user?.value.map { [$0] } ?? [])
      counts[caller, default: [:]][shape, default: 0] += count
    }
    let (shared, single) = Self.parted(seen, callers.families)
    for one in shared { add(one.glob, one.access, isTemplate: one.isTemplate, one.count) }
    for one in single {
      guard let name = callers.names[one.identity] else { continue }
      add(name, one.access, isTemplate: false, one.count)
    }
    var bodies: [Body: (callers: Set<ExactText>, count: Int)] = [:]
    for (caller, shapes) in users {
      for (shape, users) in shapes {
        let body = Body(shape: shape, users: users.sorted())
        bodies[body, default: ([], 0)].callers.insert(ExactText(caller))
        bodies[body, default: ([], 0)].count += counts[caller]?[shape] ?? 0
      }
    }
    var taken = reservedNames
    for (body, who) in bodies.sorted(by: Self.comesFirst) {
      let callers = who.callers.sorted().map(\.text)
      rules.append(
        Rule(
          name: Self.name(callers, body.shape.listener, &taken), callers: callers,
          listener: body.shape.listener,
          when: Self.conditions(body), count: who.count))
    }
  }

  private struct Shared {
    var glob: String
    var access: Access
    var isTemplate: Bool
    var count: Int
  }

  /// What all members of a family were seen with, and what only some were.
  private static func parted(
    _ seen: [Suggestion.Seen], _ families: [SuggestedCallers.Family]
  ) -> (shared: [Shared], single: [Suggestion.Seen]) {
    var shared: [Shared] = []
    var single = seen
    for family in families {
      var who: [Access: (members: Set<Identity>, count: Int)] = [:]
      for one in seen {
        guard let value = family.members[one.identity], let access = tied(one.access, value) else { continue }
        who[access, default: ([], 0)].members.insert(one.identity)
        who[access, default: ([], 0)].count += one.count
      }
      let common = who.filter { $0.value.members.count == family.members.count }
      for (access, found) in common {
        let isTemplate = access.claims.contains { $0.value.map { $0.text.contains("{") } ?? false }
        shared.append(Shared(glob: family.glob, access: access, isTemplate: isTemplate, count: found.count))
      }
      single.removeAll { one in
        guard let value = family.members[one.identity], let access = tied(one.access, value) else {
          return false
        }
        return common[access] != nil
      }
    }
    return (shared, single)
  }

  /// The claims with what was captured of the caller's name as a capture; nil where they hold braces of their
  /// own, which would be read as captures.
  private static func tied(_ access: Access, _ value: String) -> Access? {
    let texts = access.claims.compactMap { $0.value?.text }
    guard !texts.contains(where: { $0.contains("{") || $0.contains("}") }) else { return nil }
    // In a short text the likeness would be chance.
    guard value.utf8.count >= 3 else { return access }
    var access = access
    for index in access.claims.indices where access.claims[index].field != .trustLabel {
      guard let text = access.claims[index].value?.text, text.ranges(of: value).count == 1 else { continue }
      access.claims[index].value = ExactText(text.replacing(value, with: "{\(SuggestedCallers.capture)}"))
    }
    return access
  }

  private static func conditions(_ body: Body) -> [(field: Field, values: [ExactText?], isTemplate: Bool)] {
    var conditions: [(field: Field, values: [ExactText?], isTemplate: Bool)] = []
    if let user = body.shape.user {
      conditions.append((user, body.shape.hasUser ? body.users.map { $0 } : [nil], body.shape.isTemplate))
    }
    for claim in body.shape.rest { conditions.append((claim.field, [claim.value], body.shape.isTemplate)) }
    return conditions.sorted { $0.field.rawValue < $1.field.rawValue }
  }

  private static func comesFirst(
    _ left: (key: Body, value: (callers: Set<ExactText>, count: Int)),
    _ right: (key: Body, value: (callers: Set<ExactText>, count: Int))
  ) -> Bool {
    let (mine, theirs) = (left.value.callers.sorted(), right.value.callers.sorted())
    if mine != theirs { return mine.lexicographicallyPrecedes(theirs) }
    let (here, there) = (left.key.shape.listener ?? ExactText(""), right.key.shape.listener ?? ExactText(""))
    if here != there { return here < there }
    if left.key.users != right.key.users { return left.key.users.lexicographicallyPrecedes(right.key.users) }
    if left.key.shape.rest != right.key.shape.rest {
      return left.key.shape.rest.lexicographicallyPrecedes(right.key.shape.rest)
    }
    return left.key.shape.isTemplate && !right.key.shape.isTemplate
  }

  /// `worker-orders-at-orders-db`.
  private static func name(_ callers: [String], _ listener: ExactText?, _ taken: inout Set<String>) -> String
  {
    let who = callers.count == 1 ? word(callers[0]) : "\(word(callers[0]))-and-\(callers.count - 1)-more"
    let base = who + (listener.map { "-at-" + word($0.text) } ?? "")
    var name = base
    var number = 2
    while !taken.insert(name).inserted {
      name = "\(base)-\(number)"
      number += 1
    }
    return name
  }

  private static func word(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8.prefix(60) {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "."): bytes.append(byte)
      case UInt8(ascii: "*"): bytes += "any".utf8
      default: if bytes.last != UInt8(ascii: "-") { bytes.append(UInt8(ascii: "-")) }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
