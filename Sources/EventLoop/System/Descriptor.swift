internal import Glibc

/// One file descriptor with one owner. It must be closed by hand: a descriptor that is dropped stays in the
/// kernel until the table is full, so a debug build traps and names the number; a release build closes it.
package struct Descriptor: ~Copyable, Sendable {
  /// The number by which the kernel knows it; valid while this value lives.
  package let number: Int32

  /// Takes ownership of a descriptor that nothing else will close.
  package init(adopting number: Int32) {
    precondition(number >= 0, "not a descriptor")
    self.number = number
  }

  /// Gives the descriptor back to the kernel.
  package consuming func close() {
    let number = self.number
    discard self
    closeNumber(number)
  }

  /// Gives up ownership: the caller closes the number.
  consuming func release() -> Int32 {
    let number = self.number
    discard self
    return number
  }

  deinit {
    assertionFailure("descriptor \(number) was dropped without close()")
    closeNumber(number)
  }
}

/// A descriptor owned by a reference (an epoll instance, a wake-up): it closes with the last reference.
/// Never for a connection, whose end has to be an act and not a consequence.
final class SharedDescriptor: Sendable {
  let number: Int32

  init(_ descriptor: consuming Descriptor) {
    self.number = descriptor.release()
  }

  deinit { closeNumber(number) }
}

/// close(2) is never repeated: on Linux the number is free again even after EINTR, and may already be
/// somebody else's. What it reports otherwise (EIO) cannot be mended here.
private func closeNumber(_ number: Int32) {
  _ = SystemCall.once { Int(close(number)) }
}
