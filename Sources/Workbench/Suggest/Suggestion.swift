package import AccessPolicy
internal import AuditLog
internal import Patterns

/// Finds the least policy that allows what a log says was allowed. Feed it line by line.
package struct Suggestion: LogConsumer {
  package struct Options {
    /// Fields that the policy does not tie to what was seen.
    package var generalised: Set<Field> = []
    /// Connections that were denied and that the shadow rules would have allowed count as allowed.
    package var includesShadow = false
    /// Policy files of which the callers stay.
    package var kept: [PolicyDocument]?

    package init(generalised: Set<Field> = [], includesShadow: Bool = false, kept: [PolicyDocument]? = nil) {
      self.generalised = generalised
      self.includesShadow = includesShadow
      self.kept = kept
    }
  }

  /// The fields that ``Options/generalised`` may name.
  package static let generalisable: [Field] = [.sanURI, .sanDNS, .listener] + Access.claims

  /// Different connections that are told apart; a log with more has to be generalised.
  private static let accessLimit = 100_000
  private static let refusedLimit = 200

  /// One kind of connection that was allowed.
  struct Seen {
    var identity: Identity
    var access: Access
    var sample: Facts
    var time: Timestamp
    var count = 0
  }

  private struct Key: Hashable {
    var identity: Identity
    var access: Access
  }

  /// What a line comes to: the number of what was seen, or why it is not allowed.
  private enum Outcome {
    case seen(Int)
    case refused(String)
    case tooMany
  }

  let options: Options
  let keptPolicy: Policy?
  private let slots: [UInt8]
  private var scanner = RecordScanner()
  private var cache = JudgementCache<Outcome>()
  private var key: [UInt8] = []
  private var index: [Key: Int] = [:]
  private(set) var seen: [Seen] = []
  /// Why connections are not allowed, each with how many there were; those beyond the limit are under nil.
  private(set) var refused: [String?: Int] = [:]
  package private(set) var isOverfull = false
  package private(set) var decisions = 0
  private var otherRecords = 0
  package private(set) var unreadable = UnreadableLines()
  private(set) var first = Timestamp.distantFuture
  private(set) var last = Timestamp(nanoseconds: .min)

  /// - Returns: nil where the callers of the kept files do not compile.
  package init?(_ options: Options) {
    self.options = options
    var asked = Identity.fields.union(Access.fields).union([.listener, .protocol])
    if let kept = options.kept {
      guard let policy = Policy.compile(kept.map(\.callersOnly), listeners: nil).policy else { return nil }
      keptPolicy = policy
      asked.formUnion(policy.askedFields)
    } else {
      keptPolicy = nil
    }
    slots = RecordScanner.keySlots(asked)
  }

  package var records: Int { decisions + otherRecords + unreadable.decisions }

  /// Why there is nothing to allow.
  package var shortage: String {
    let unread = unreadable.decisions
    return
      "no connection to allow: \(Plural.count(decisions, "verdict", "verdicts")) in the logs, and none that counts"
      + (unread > 0 ? "; \(unread) more that this version does not read" : "")
  }

  package mutating func feed(_ line: ArraySlice<UInt8>, at place: LinePlace) {
    guard let line = LogText.content(line, isFirst: place.line == 1) else { return }
    let span = line.span
    if scanner.scan(span) == .decision {
      key.removeAll(keepingCapacity: true)
      scanner.appendKey(span, slots: slots, to: &key)
      // Time may change who a caller is where files that are kept say so.
      if keptPolicy == nil, let found = cache.find(key) { return count(cache[found], scanner.time) }
      if let decision = scanner.decision(span) {
        let outcome = outcome(decision)
        if keptPolicy == nil { cache.insert(key, outcome) }
        return count(outcome, decision.time)
      }
    }
    switch RecordLine.read(line) {
    case .unreadable(let problem): unreadable.add(place, problem)
    case .unreadableDecision(let problem): unreadable.add(place, problem, isDecision: true)
    case .other: otherRecords += 1
    case .decision(let decision): count(outcome(decision), decision.time)
    }
  }

  package mutating func feedOversized(at place: LinePlace) {
    unreadable.add(place, "longer than any record")
  }

  private mutating func count(_ outcome: Outcome, _ time: Timestamp) {
    decisions += 1
    switch outcome {
    case .seen(let number):
      seen[number].count += 1
      first = min(first, time)
      last = max(last, time)
    case .refused(let why):
      let isTold = refused[why] != nil || refused.count < Self.refusedLimit
      refused[isTold ? why : nil, default: 0] += 1
    case .tooMany: isOverfull = true
    }
  }

  private mutating func outcome(_ decision: RecordedDecision) -> Outcome {
    let counts =
      decision.verdict == .allow || options.includesShadow && decision.shadow.verdict == .allow
    let name = decision.caller?.name ?? Self.subject(decision.facts)
    guard counts else {
      return .refused("denied (\(decision.rule.map { "rule \($0)" } ?? decision.reason.rawValue)): \(name)")
    }
    guard decision.facts.unreadableNames.isEmpty else { return .refused("an unreadable name: \(name)") }
    let asked = Identity.fields.union(Access.fields).union([.listener])
    guard decision.cutFields.isDisjoint(with: asked) else {
      return .refused("a value that is too long for the log: \(name)")
    }
    let identity: Identity
    if let keptPolicy {
      let mapped = keptPolicy.decide(decision.facts, at: decision.time)
      guard let caller = mapped.caller else {
        return .refused("no caller in the files that are kept (\(mapped.reason.rawValue)): \(name)")
      }
      identity = .kept(ExactText(caller.name))
    } else {
      guard let found = Identity(decision.facts) else { return .refused("no name to go by: \(name)") }
      identity = found
    }
    let access = Access(decision.facts, generalised: options.generalised)
    let key = Key(identity: identity, access: access)
    if let number = index[key] { return .seen(number) }
    guard seen.count < Self.accessLimit else { return .tooMany }
    index[key] = seen.count
    seen.append(Seen(identity: identity, access: access, sample: decision.facts, time: decision.time))
    return .seen(seen.count - 1)
  }

  private static func subject(_ facts: Facts) -> String {
    for field in [Field.sanURI, .sanDNS] {
      if case .texts(let texts)? = facts[field], let text = texts.first { return text }
    }
    if case .text(let subject)? = facts[.subjectDN], !subject.isEmpty { return subject }
    if case .text(let hash)? = facts[.sha256] { return "certificate \(hash)" }
    return "a certificate without a name"
  }
}

extension PolicyDocument {
  /// The same file without its rules and tests.
  var callersOnly: PolicyDocument { PolicyDocument(file: file, callers: callers) }
}
