import AccessPolicy

/// Builds the tree of one file from libyaml's events, and refuses what a configuration has no use for.
struct YAMLComposer: ~Copyable {
  /// Longer files are refused: a policy of 100,000 rules takes a quarter of it.
  static let maximumBytes = 64 << 20
  /// Deeper trees are refused: the deepest key of ours is at depth 9.
  static let maximumDepth = 32

  /// Why composing stops at once; everything else is reported and passed over.
  private enum Stop: Error {
    case syntax(YAMLEventStream.Failure)
    case tooDeep(YAMLMark)
  }

  private var stream: YAMLEventStream
  private let findings: Findings

  /// - Returns: the only document of the file, or nil where it has none that can be read; why is in the
  ///   findings then.
  static func compose(_ text: [UInt8], findings: Findings) -> YAMLNode? {
    guard text.count <= maximumBytes else {
      findings.error(
        at: findings.wholeFile, "too-large",
        "the file has \(text.count) bytes; at most \(maximumBytes) are read")
      return nil
    }
    // libyaml would count a byte order mark as a character of the first line.
    let start = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    return unsafe text.withUnsafeBufferPointer { bytes in
      var composer = unsafe YAMLComposer(
        stream: YAMLEventStream(UnsafeBufferPointer(rebasing: bytes[start...])), findings: findings)
      do throws(Stop) {
        let root = try composer.document()
        if let root, case .scalar = root.content, PEMText.report(text[start...], findings) { return nil }
        return root
      } catch {
        composer.report(error, text: text, start: start)
        return nil
      }
    }
  }

  private init(stream: consuming YAMLEventStream, findings: Findings) {
    self.stream = stream
    self.findings = findings
  }

  private mutating func document() throws(Stop) -> YAMLNode? {
    var root: YAMLNode?
    while true {
      let event = try next()
      switch event.kind {
      case .streamEnd:
        if root == nil { findings.error(at: findings.wholeFile, "empty", "the file holds no YAML document") }
        return root
      case .streamStart, .documentEnd: continue
      case .documentStart where root != nil:
        refuse(event.mark, "a second YAML document", "split it into two files, or remove the \"---\"")
        return root
      case .documentStart: root = try node(from: try next(), depth: 1)
      default: continue
      }
    }
  }

  private mutating func node(from event: YAMLEventStream.Event, depth: Int) throws(Stop) -> YAMLNode {
    if depth > Self.maximumDepth { throw .tooDeep(event.mark) }
    // What begins a file may be the secret in it: `&`, `!` and `*` may begin a key of the audit log.
    let isRoot = depth == 1
    if let anchor = event.anchor {
      refuse(
        event.mark, isRoot ? "an anchor" : "the anchor \"&\(anchor)\"",
        "write the value out where it is needed")
    }
    if let tag = event.tag {
      refuse(
        event.mark, isRoot ? "a tag" : "the tag \(Wording.quote(tag))",
        "remove it: each key says what type its value has")
    }
    switch event.kind {
    case .scalar(let text, let quoted):
      // Only an escape can bring it in: libyaml refuses the bare character.
      if text.utf8.contains(0) {
        findings.error(at: event.mark, "control-character", "a text holds NUL")
        return YAMLNode(content: .refused, mark: event.mark)
      }
      return YAMLNode(content: .scalar(text, quoted: quoted), mark: event.mark)
    case .sequenceStart:
      return YAMLNode(content: .sequence(try sequence(depth: depth)), mark: event.mark)
    case .mappingStart:
      return YAMLNode(content: .mapping(try mapping(depth: depth)), mark: event.mark)
    case .alias(let name):
      // An alias inside an alias inside an alias: 400 bytes that stand for 10^9 values.
      refuse(
        event.mark, isRoot ? "an alias" : "the alias \"*\(name)\"",
        "write the value out, or quote a text that begins with *")
      return YAMLNode(content: .refused, mark: event.mark)
    case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
      return YAMLNode(content: .refused, mark: event.mark)
    }
  }

  private mutating func sequence(depth: Int) throws(Stop) -> [YAMLNode] {
    var items: [YAMLNode] = []
    while true {
      let event = try next()
      if case .sequenceEnd = event.kind { return items }
      items.append(try node(from: event, depth: depth + 1))
    }
  }

  private mutating func mapping(depth: Int) throws(Stop) -> [YAMLEntry] {
    var entries: [YAMLEntry] = []
    var keys = KeySet()
    while true {
      let event = try next()
      if case .mappingEnd = event.kind { return entries }
      let key = try node(from: event, depth: depth + 1)
      let value = try node(from: try next(), depth: depth + 1)
      guard case .scalar(let text, let quoted) = key.content else {
        if !key.isRefused { refuse(key.mark, "a key that is \(key.found)", "keys are single words") }
        continue
      }
      if text == "<<" && !quoted {
        refuse(key.mark, "the merge key \"<<\"", "write the keys out where they are needed")
      } else if let first = keys.insert(text, at: key.mark, among: entries) {
        findings.error(
          at: key.mark, "duplicate-key", "the key \(Wording.quote(text)) stands here twice",
          hint: "the first one is in line \(first.line); remove one of them")
      } else {
        entries.append(YAMLEntry(key: text, keyMark: key.mark, value: value))
      }
    }
  }

  private mutating func next() throws(Stop) -> YAMLEventStream.Event {
    do throws(YAMLEventStream.Failure) {
      return try stream.next()
    } catch {
      throw .syntax(error)
    }
  }

  private func refuse(_ mark: YAMLMark, _ what: String, _ hint: String) {
    findings.error(at: mark, "yaml-feature", "found \(what), which is not accepted here", hint: hint)
  }

  private func report(_ stop: Stop, text: [UInt8], start: Int) {
    switch stop {
    case .tooDeep(let mark):
      findings.error(
        at: mark, "too-deep", "values are nested deeper than \(Self.maximumDepth) levels",
        hint: "no key of ours needs half of that; look for a stray \"[\", \"{\" or indentation")
    case .syntax(let failure):
      if PEMText.report(text[start...], findings) { return }
      YAMLSyntaxWording.report(failure, text: text, start: start, findings: findings)
    }
  }
}

/// Finds a key that a mapping has already, without hashing where a scan is faster: most have few keys.
private struct KeySet {
  private static let scanned = 12
  private var marks: [String: YAMLMark] = [:]

  /// - Returns: where the same key stands already.
  mutating func insert(_ key: String, at mark: YAMLMark, among entries: [YAMLEntry]) -> YAMLMark? {
    if entries.count < Self.scanned { return entries.first { $0.key == key }?.keyMark }
    if marks.isEmpty {
      for entry in entries { marks[entry.key] = entry.keyMark }
    }
    if let first = marks[key] { return first }
    marks[key] = mark
    return nil
  }
}
