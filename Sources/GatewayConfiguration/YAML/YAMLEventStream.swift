private import CYaml

/// libyaml's parser over bytes in memory, one event at a time. The only file that holds pointers.
///
/// The events are used rather than a composed tree because composing is where YAML is expensive and
/// dangerous: tags, anchors, and one object a scalar.
@safe struct YAMLEventStream: ~Copyable {
  /// What libyaml met, copied out of its memory.
  struct Event {
    enum Kind {
      case streamStart, streamEnd, documentStart, documentEnd
      case alias(String)
      case scalar(String, quoted: Bool)
      case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }

    var kind: Kind
    var mark: YAMLMark
    var anchor: String?
    var tag: String?
  }

  /// Why libyaml cannot go on.
  struct Failure: Error {
    enum Place {
      case mark(YAMLMark)
      /// The bytes are not text: an offset into them, since no mark is known there.
      case byte(Int)
      case unknown
    }

    var place: Place
    /// In libyaml's words: `did not find expected key`.
    var problem: String
    /// In libyaml's words: `while parsing a block mapping`, and where that began.
    var context: String?
    var contextMark: YAMLMark?
  }

  // libyaml keeps a pointer to the parser inside the parser, so it may not move: it lives on the heap.
  private let parser: UnsafeMutablePointer<yaml_parser_t>

  /// - Parameter bytes: must stay where they are for as long as the stream is used.
  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    unsafe parser = .allocate(capacity: 1)
    unsafe parser.initialize(to: yaml_parser_t())
    // Fails only without memory; then the first call of `next` fails on the empty parser.
    _ = unsafe yaml_parser_initialize(parser)
    // Without this a byte order mark of UTF-16 would choose another reading of the same bytes.
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
  }

  mutating func next() throws(Failure) -> Event {
    var raw = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &raw) == 1 else { throw failure() }
    defer { unsafe yaml_event_delete(&raw) }
    return unsafe Self.copy(raw)
  }

  private static func copy(_ raw: yaml_event_t) -> Event {
    let mark = unsafe Self.mark(raw.start_mark)
    switch unsafe raw.type {
    case YAML_SCALAR_EVENT:
      let scalar = unsafe raw.data.scalar
      let text = unsafe String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      let quoted = unsafe scalar.style != YAML_PLAIN_SCALAR_STYLE
      return unsafe Event(
        kind: .scalar(text, quoted: quoted), mark: mark, anchor: string(scalar.anchor),
        tag: string(scalar.tag))
    case YAML_SEQUENCE_START_EVENT:
      let start = unsafe raw.data.sequence_start
      return unsafe Event(
        kind: .sequenceStart, mark: mark, anchor: string(start.anchor), tag: string(start.tag))
    case YAML_MAPPING_START_EVENT:
      let start = unsafe raw.data.mapping_start
      return unsafe Event(
        kind: .mappingStart, mark: mark, anchor: string(start.anchor), tag: string(start.tag))
    case YAML_ALIAS_EVENT:
      return unsafe Event(kind: .alias(string(raw.data.alias.anchor) ?? ""), mark: mark)
    case YAML_SEQUENCE_END_EVENT: return Event(kind: .sequenceEnd, mark: mark)
    case YAML_MAPPING_END_EVENT: return Event(kind: .mappingEnd, mark: mark)
    case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, mark: mark)
    case YAML_DOCUMENT_END_EVENT: return Event(kind: .documentEnd, mark: mark)
    case YAML_STREAM_START_EVENT: return Event(kind: .streamStart, mark: mark)
    default:
      // YAML_STREAM_END_EVENT, and YAML_NO_EVENT, which libyaml gives once the stream has ended.
      return Event(kind: .streamEnd, mark: mark)
    }
  }

  private func failure() -> Failure {
    let place: Failure.Place =
      switch unsafe parser.pointee.error {
      case YAML_READER_ERROR: unsafe .byte(parser.pointee.problem_offset)
      case YAML_MEMORY_ERROR: .unknown
      default: unsafe .mark(Self.mark(parser.pointee.problem_mark))
      }
    let context = unsafe string(parser.pointee.context)
    return unsafe Failure(
      place: place, problem: string(parser.pointee.problem) ?? "not enough memory", context: context,
      contextMark: context == nil ? nil : Self.mark(parser.pointee.context_mark))
  }

  private func string(_ text: UnsafePointer<CChar>?) -> String? {
    guard let text = unsafe text else { return nil }
    return unsafe String(cString: text)
  }

  private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    guard let text = unsafe text else { return nil }
    return unsafe String(cString: text)
  }

  private static func mark(_ mark: yaml_mark_t) -> YAMLMark {
    YAMLMark(
      line: UInt32(truncatingIfNeeded: mark.line + 1), column: UInt32(truncatingIfNeeded: mark.column + 1))
  }
}
