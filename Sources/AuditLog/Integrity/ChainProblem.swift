/// What is wrong with a line of a chained log, as far as the lines around it tell.
package enum ChainProblem: Hashable, Sendable {
  /// The line is not as it was sealed, and what follows is tied to what it was.
  case changed
  /// A line that was not written by the gateway at this place: what follows is tied to the line before it.
  case inserted
  /// The record of this number stands here a second time, or the chain goes on from an older place.
  case repeated(UInt64)
  /// The records of these numbers are not in the files.
  case removed(ClosedRange<UInt64>)
  /// The record of this number stands further on, at that line (counted over all lines that were fed).
  case reordered(UInt64, line: Int)
  /// The line is sealed and has the right number, and is not tied to the line before it: that one, or this one
  /// and all that follow, were written anew.
  case replaced
  /// From this line on the records are those of another chain, which may begin with a file only.
  case otherChain
  /// So many lines stand before the chain's first record.
  case unsealedStart(Int)
  /// There are lines, and none of them is sealed.
  case unsealed
  /// The line is no sealed record, and nothing that follows says whether it was changed or inserted.
  case unreadable

  /// For programs.
  package var name: String {
    switch self {
    case .changed: "changed"
    case .inserted: "inserted"
    case .repeated: "repeated"
    case .removed: "removed"
    case .reordered: "reordered"
    case .replaced: "replaced"
    case .otherChain: "other_chain"
    case .unsealedStart: "unsealed_start"
    case .unsealed: "unsealed"
    case .unreadable: "unreadable"
    }
  }
}

/// The first line that is not as it was written.
package struct ChainFinding: Hashable, Sendable {
  /// Counted from 1 over all lines that were fed. Where records were removed, the line before which they are
  /// missing.
  package var line: Int
  package var problem: ChainProblem
}
