import Glibc

/// Users and groups of this machine, by name or number.
enum Accounts {
  /// - Returns: nil where there is no such user.
  static func user(_ text: String) -> UInt32? {
    if let number = UInt32(text) { return number == .max ? nil : number }
    var entry = unsafe passwd()
    return unsafe find { buffer, count in
      var found: UnsafeMutablePointer<passwd>?
      let code = unsafe getpwnam_r(text, &entry, buffer, count, &found)
      return unsafe (code, found?.pointee.pw_uid)
    }
  }

  /// - Returns: nil where there is no such group.
  static func group(_ text: String) -> UInt32? {
    if let number = UInt32(text) { return number == .max ? nil : number }
    var entry = unsafe Glibc.group()
    return unsafe find { buffer, count in
      var found: UnsafeMutablePointer<Glibc.group>?
      let code = unsafe getgrnam_r(text, &entry, buffer, count, &found)
      return unsafe (code, found?.pointee.gr_gid)
    }
  }

  /// A group's entry names its members and can be of any length: getgrnam_r(3) says ERANGE until it fits.
  private static func find(
    _ look: (UnsafeMutablePointer<CChar>, Int) -> (code: Int32, number: UInt32?)
  ) -> UInt32? {
    var size = 4096
    while size <= 1 << 22 {
      let answer: (code: Int32, number: UInt32?) = unsafe withUnsafeTemporaryAllocation(
        of: CChar.self, capacity: size
      ) { buffer in
        // Its capacity is not 0, so there is an address.
        unsafe buffer.baseAddress.map { unsafe look($0, buffer.count) } ?? (EINVAL, nil)
      }
      guard answer.code == ERANGE else { return answer.code == 0 ? answer.number : nil }
      size *= 4
    }
    return nil
  }
}
