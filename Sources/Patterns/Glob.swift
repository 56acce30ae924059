/// `*` stands for any text within a segment, `**` for any text across segments; segments end at `/`.
/// Everything else stands for itself. The whole value must match.
package struct Glob: Hashable, Sendable {
  private enum Piece: Hashable, Sendable {
    case byte(UInt8)
    case withinSegment
    case acrossSegments

    var isStar: Bool { self == .withinSegment || self == .acrossSegments }

    /// Whether this is a star that may stand for the byte that the other piece is.
    func takes(_ other: Piece) -> Bool {
      guard case .byte(let byte) = other else { return false }
      return self == .acrossSegments || self == .withinSegment && byte != UInt8(ascii: "/")
    }
  }

  /// As it was written.
  package let text: String
  private let pieces: [Piece]
  /// The text, where the glob has no star and so names one value only.
  package let literal: String?
  /// Whether a `*` stands behind a `**`: for each place of the one, the other would have to be tried anew.
  private let isNested: Bool

  package static func == (left: Self, right: Self) -> Bool { left.pieces == right.pieces }
  package func hash(into hasher: inout Hasher) { hasher.combine(pieces) }

  package init(_ text: String) {
    var pieces: [Piece] = []
    for byte in text.utf8 {
      switch (byte, pieces.last) {
      case (UInt8(ascii: "*"), .withinSegment?): pieces[pieces.count - 1] = .acrossSegments
      case (UInt8(ascii: "*"), .acrossSegments?): break
      case (UInt8(ascii: "*"), _): pieces.append(.withinSegment)
      default: pieces.append(.byte(byte))
      }
    }
    self.text = text
    self.pieces = pieces
    self.literal = text.utf8.contains(UInt8(ascii: "*")) ? nil : text
    isNested =
      pieces.firstIndex(of: .acrossSegments).map { pieces[$0...].contains(.withinSegment) } ?? false
  }

  /// Whether some value matches both globs.
  package func overlaps(_ other: Glob) -> Bool {
    let width = other.pieces.count + 1
    var seen = [Bool](repeating: false, count: (pieces.count + 1) * width)
    // Pairs of places: some text takes this glob to the one and the other glob to the other.
    var pending = [(0, 0)]
    while let (mine, theirs) = pending.popLast() {
      guard !seen[mine * width + theirs] else { continue }
      seen[mine * width + theirs] = true
      let left = mine < pieces.count ? pieces[mine] : nil
      let right = theirs < other.pieces.count ? other.pieces[theirs] : nil
      guard left != nil || right != nil else { return true }
      // A star that takes nothing more, or the other's byte; else two bytes, which must be the same.
      if let left, left.isStar || right?.takes(left) == true { pending.append((mine + 1, theirs)) }
      if let right, right.isStar || left?.takes(right) == true { pending.append((mine, theirs + 1)) }
      if let left, left == right { pending.append((mine + 1, theirs + 1)) }
    }
    return false
  }

  /// Whether every value that matches the other glob matches this one, too; no where that cannot be told.
  package func covers(_ other: Glob) -> Bool {
    // What a star of the other takes, only a star of this one can take: a control character that neither
    // has stands for it, once alone and once, behind `**`, with a `/` in it.
    let samples = [[1], [1, UInt8(ascii: "/"), 1]].map { (across: [UInt8]) in
      other.pieces.flatMap { piece -> [UInt8] in
        switch piece {
        case .byte(let byte): [byte]
        case .withinSegment: [1]
        case .acrossSegments: across
        }
      }
    }
    guard !text.utf8.contains(1), !other.text.utf8.contains(1) else { return self == other }
    return samples.allSatisfy { matches(String(decoding: $0, as: UTF8.self)) }
  }

  /// The text before the first star, with which every value that matches begins.
  package var literalPrefix: String {
    String(decoding: text.utf8.prefix { $0 != UInt8(ascii: "*") }, as: UTF8.self)
  }

  package func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      isNested ? unsafe matchesInStep(bytes) : unsafe matchesByReturning(bytes)
    }
  }

  /// Walks the value once with every place in the pattern at which it may be: the length of the value times
  /// the length of the pattern, whatever a peer puts into a value.
  private func matchesInStep(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    // reached[n]: the value so far matches the first n pieces.
    var reached = [Bool](repeating: false, count: pieces.count + 1)
    reached[0] = true
    for place in pieces.indices where pieces[place].isStar && reached[place] { reached[place + 1] = true }
    for index in bytes.indices {
      let byte = unsafe bytes[index]
      var before = reached[0]
      reached[0] = false
      for place in pieces.indices {
        let (from, here) = (before, reached[place + 1])
        before = here
        reached[place + 1] =
          switch pieces[place] {
          case .byte(let expected): from && byte == expected
          // A star keeps what it had and takes a byte more, or takes none: then its beginning counts.
          case .withinSegment: here && byte != UInt8(ascii: "/") || reached[place]
          case .acrossSegments: here || reached[place]
          }
      }
    }
    return reached[pieces.count]
  }

  /// Walks the value once, and on a mismatch lets the nearest star take one byte more: first the last `*`,
  /// which may not pass a `/`, then the last `**`. With stars of one kind behind each other that is the length of the value times the length
  /// of the text between two stars.
  private func matchesByReturning(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var position = 0
    var piece = 0
    var star: (piece: Int, position: Int)?
    var doubleStar: (piece: Int, position: Int)?
    while position < bytes.count || piece < pieces.count {
      if piece < pieces.count {
        switch pieces[piece] {
        case .byte(let byte):
          if position < bytes.count, unsafe bytes[position] == byte {
            position += 1
            piece += 1
            continue
          }
        case .withinSegment:
          star = (piece + 1, position)
          piece += 1
          continue
        case .acrossSegments:
          doubleStar = (piece + 1, position)
          star = nil
          piece += 1
          continue
        }
      }
      if let last = star, last.position < bytes.count, unsafe bytes[last.position] != UInt8(ascii: "/") {
        star = (last.piece, last.position + 1)
        (piece, position) = (last.piece, last.position + 1)
      } else if let last = doubleStar, last.position < bytes.count {
        star = nil
        doubleStar = (last.piece, last.position + 1)
        (piece, position) = (last.piece, last.position + 1)
      } else {
        return false
      }
    }
    return true
  }
}
