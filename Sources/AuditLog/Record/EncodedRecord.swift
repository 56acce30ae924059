/// One record as a line of JSON without its end of line, still without sequence and integrity, which only
/// the writer knows.
package struct EncodedRecord: Hashable, Sendable {
  package var bytes: [UInt8]
  /// Where `,"sequence":…` belongs: behind a member of `event`.
  package var sequenceOffset: Int
  /// Where `,"integrity":{…}` belongs: behind a member of `countersign`; not before ``sequenceOffset``.
  package var integrityOffset: Int

  package init(bytes: [UInt8], sequenceOffset: Int, integrityOffset: Int) {
    self.bytes = bytes
    self.sequenceOffset = sequenceOffset
    self.integrityOffset = integrityOffset
  }
}

/// A digest of bytes, such as SHA-256: the caller brings it, because this module has no cryptography.
package typealias Digest = @Sendable ([UInt8]) -> [UInt8]
