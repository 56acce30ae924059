import AccessPolicy
import Testing

@testable import DataPlane

@Suite struct MySQLCommandTests {
  static func command(_ byte: UInt8, _ rest: [UInt8] = [], sequence: UInt8 = 0) -> [UInt8] {
    MySQLPacket.frame([byte] + rest, sequence: sequence)
  }

  /// Feeds bytes in chunks as a relay would, and gives what went on and the command that did not.
  static func relayed(_ bytes: [UInt8], chunk: Int) -> (
    passed: Int, held: Int, command: MySQLCommandScan.Command?
  ) {
    var scan = MySQLCommandScan()
    var passed = 0
    var end = 0
    while end < bytes.count {
      end = min(end + chunk, bytes.count)
      let step = scan.scan(Array(bytes[passed..<end]))
      passed += step.passable
      if step.command != nil { return (passed, end - passed, step.command) }
      if end - passed > 4 { return (passed, -1, nil) }
    }
    return (passed, end - passed, nil)
  }

  static let ordinary: [UInt8] =
    command(0x03, Array("select 1".utf8)) + command(0x18, Array(repeating: 0x11, count: 40)) + command(0x0e)
    + command(0x03, [0x11, 0xfe]) + MySQLPacket.frame([], sequence: 0) + command(0x1f)
    // The file of a LOAD DATA LOCAL, and its end.
    + command(0x11, Array(repeating: 0x11, count: 30), sequence: 2) + command(0xfe, sequence: 3)
    + MySQLPacket.frame([], sequence: 4) + command(0x01)

  @Test func ordinaryCommandsGoByHoweverTheyAreCut() {
    for chunk in 1...Self.ordinary.count {
      let (passed, held, command) = Self.relayed(Self.ordinary, chunk: chunk)
      #expect(passed == Self.ordinary.count && held == 0 && command == nil)
    }
  }

  @Test(arguments: [MySQLCommandScan.Command.changeUser, .multi])
  func aChangeOfUserIsFoundHoweverItIsCut(_ command: MySQLCommandScan.Command) {
    let bytes = Self.ordinary + Self.command(command.rawValue, Array("root\0\0mysql\0".utf8)) + Self.ordinary
    for chunk in 1...bytes.count {
      let (passed, held, found) = Self.relayed(bytes, chunk: chunk)
      #expect(found == command)
      #expect(passed == Self.ordinary.count, "chunks of \(chunk)")
      #expect(held >= 5)
    }
  }

  @Test func aPayloadThatGoesOnIsOneCommand() {
    var scan = MySQLCommandScan()
    let full: [UInt8] = [0xff, 0xff, 0xff]
    // 2^24-1 bytes of a query, then a packet that goes on with it and looks like a command by a sequence that
    // has come round, then a command.
    var step = scan.scan((full + [0, 0x03]))
    #expect(step == MySQLCommandScan.Step(passable: 5, command: nil))
    var left = MySQLPacket.fullLength - 1
    let block = Array(repeating: 0x11 as UInt8, count: 65_536)
    while left > 0 {
      let part = min(left, block.count)
      step = scan.scan(Array(block.prefix(part)))
      #expect(step.passable == part && step.command == nil)
      left -= part
    }
    step = scan.scan(([2, 0, 0, 0, 0x11, 0x11] + Self.command(0x11)))
    #expect(step == MySQLCommandScan.Step(passable: 6, command: .changeUser))
  }

  /// The sequence of a file's data comes round to 0: it is looked at rather than trusted.
  @Test func dataThatLooksLikeACommandIsTakenForOne() {
    let bytes = Self.command(0x61, sequence: 255) + Self.command(0x11, sequence: 0)
    #expect(Self.relayed(bytes, chunk: 100).command == .changeUser)
  }

  static let changes: [([UInt8], String, String?)] = [
    (MySQLSample.changeUser, "n1", "other"),
    (command(0x11, Array("a\0\0\0".utf8) + [45, 0]), "a", nil),
    (
      command(0x11, Array("a\0\u{2}xy".utf8) + Array("b\0".utf8) + [45, 0] + Array("dialog\0".utf8)), "a", "b"
    ),
    (
      command(
        0x11, Array("a\0\0b\0".utf8) + [45, 0] + Array("dialog\0".utf8) + [5, 1, 0x61, 2, 0x62, 0x63]), "a",
      "b"
    ),
  ]

  @Test(arguments: changes)
  func aChangeOfUserGivesFactsAndIsWrittenAnew(_ packet: [UInt8], _ user: String, _ database: String?) throws
  {
    let (change, length) = try #require(MySQLChangeUser.parse((packet + [1]), client: .offered).completed)
    #expect(length == packet.count)
    #expect(change.names.facts[.mysqlUser] == .text(user))
    #expect(change.names.facts[.mysqlDatabase] == database.map { .text($0) })
    #expect(impatient(packet) { MySQLChangeUser.parse($0, client: .offered) } == [])
    #expect(mutated(packet) { MySQLChangeUser.parse($0, client: .offered) } == 10 * packet.count)
    let written = change.packet(upstream: .offered)
    #expect(MySQLChangeUser.parse(written, client: .offered).completed?.value == change)
    let start = "\u{11}\(user)\0\0\(database ?? "")\0-\0countersign_switch\0"
    #expect(written.dropFirst(4).prefix(start.utf8.count) == Array(start.utf8)[...])
    let bare = change.packet(upstream: .offered.subtracting(.connectAttributes))
    #expect(bare.dropFirst(4) == Array(start.utf8)[...])
  }

  static let refused: [([UInt8], String)] = [
    (command(0x03, Array("select 1".utf8)), "expected COM_CHANGE_USER"),
    (command(0x11), "too short"),
    (command(0x11, Array("a\0\0b\0".utf8)), "too short"),
    (command(0x11, Array("a\0\u{9}b\0".utf8) + [45, 0]), "too short"),
    (command(0x11, Array("a\0\0b\0".utf8) + [45]), "too short"),
    (command(0x11, Array("'root'\0\0b\0".utf8) + [45, 0]), "in quotes"),
    (command(0x11, Array("é\0\0b\0".utf8) + [8, 0]), "character set 8"),
    (command(0x11, Array("a\0\0b\0".utf8) + [45, 0] + Array("x\0".utf8) + [9, 1]), "do not fit"),
    (command(0x11, Array("a\0\0b\0".utf8) + [45, 0], sequence: 1), "the sequence 1, and 0"),
    ([0xff, 0xff, 0xff, 0, 0x11], "over the 81920"),
  ]

  @Test(arguments: refused)
  func aBrokenChangeOfUserIsRefused(_ packet: [UInt8], _ problem: String) throws {
    let found = try #require(MySQLChangeUser.parse(packet, client: .offered).problem)
    #expect(found.contains(problem))
  }
}
