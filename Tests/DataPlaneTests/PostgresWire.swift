import Foundation

/// The messages of Postgres that tests need, written by hand.
enum PostgresWire {
  static let sslRequest: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]
  static let gssRequest: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]
  static let key: [UInt8] = [1, 2, 3, 4]
  static let processID: [UInt8] = [0, 0, 0, 77]
  static let cancelRequest: [UInt8] = [0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e] + processID + key

  static func startup(_ values: [(String, String)] = [("user", "orders_rw"), ("database", "orders")])
    -> [UInt8]
  {
    var body: [UInt8] = [0, 3, 0, 0]
    for (name, value) in values { body += Array(name.utf8) + [0] + Array(value.utf8) + [0] }
    body.append(0)
    let length = body.count + 4
    return [0, 0, UInt8(length / 256), UInt8(length % 256)] + body
  }

  /// AuthenticationOk, BackendKeyData and ReadyForQuery.
  static let welcome: [UInt8] =
    [0x52, 0, 0, 0, 8, 0, 0, 0, 0] + [0x4b, 0, 0, 0, 12] + processID + key + ready
  static let ready: [UInt8] = [0x5a, 0, 0, 0, 5, 0x49]

  /// The SQLSTATE of an ErrorResponse that the bytes end with; nil where there is none.
  static func state(_ bytes: [UInt8]) -> String? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.contains("SFATAL\0VFATAL\0"), let start = text.range(of: "VFATAL\0C") else { return nil }
    return String(text[start.upperBound...].prefix(5))
  }
}
