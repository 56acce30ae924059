package import AuditLog

/// Which part of which chain a file holds, by its first and its last sealed line.
package struct LogExtent: Sendable {
  package var file: String
  /// nil where the file has no sealed record.
  package var first: IntegrityMember?
  package var last: IntegrityMember?

  package init(file: String, first: IntegrityMember?, last: IntegrityMember?) {
    self.file = file
    self.first = first
    self.last = last
  }

  /// Puts files into the order of their chains, whatever order they were named in: by the number of the first
  /// record, a longer file before its copies. Chains stand in the order in which they were named.
  /// - Returns: what to verify one after the other: files of one chain together, each copy for itself, files
  ///   without a sealed record last.
  package static func runs(_ files: [LogExtent]) -> [[LogExtent]] {
    var chains: [[LogExtent]] = []
    var places: [String: Int] = [:]
    var others: [[LogExtent]] = []
    for file in files {
      guard let uid = file.first?.uid else {
        others.append([file])
        continue
      }
      if let place = places[uid] {
        chains[place].append(file)
      } else {
        places[uid] = chains.count
        chains.append([file])
      }
    }
    return chains.flatMap(ordered) + others
  }

  private static func ordered(_ files: [LogExtent]) -> [[LogExtent]] {
    let sorted = files.enumerated().sorted { left, right in
      let (mine, theirs) = (left.element.span, right.element.span)
      if mine.lowerBound != theirs.lowerBound { return mine.lowerBound < theirs.lowerBound }
      if mine.upperBound != theirs.upperBound { return mine.upperBound > theirs.upperBound }
      return left.offset < right.offset
    }
    var chain: [LogExtent] = []
    var copies: [[LogExtent]] = []
    for (_, file) in sorted {
      if let end = chain.last?.span.upperBound, file.span.upperBound <= end {
        copies.append([file])
      } else {
        chain.append(file)
      }
    }
    return [chain] + copies
  }

  /// Whether records of the same number are not the same ones, as far as the ends of both files show.
  func contradicts(_ other: LogExtent) -> Bool {
    let mine = [first, last].compactMap { $0 }
    let theirs = [other.first, other.last].compactMap { $0 }
    return mine.contains { one in
      theirs.contains { $0.sequence == one.sequence && $0.fingerprint != one.fingerprint }
    }
  }

  /// The numbers of its records, as its ends say.
  var span: ClosedRange<UInt64> {
    let first = first?.sequence ?? 0
    return first...max(first, last?.sequence ?? first)
  }
}
