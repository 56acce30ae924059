import Glibc
import Testing

@testable import EventLoop

@Suite struct AddressTests {
  static let addresses: [(NetworkAddress, String)] = [
    (.v4(0x7f00_0001, port: 5432), "127.0.0.1:5432"),
    (.v4(0, port: 0), "0.0.0.0:0"),
    (.v6(0, port: 6432, scope: 0), "[::]:6432"),
    (.v6(1, port: 65_535, scope: 0), "[::1]:65535"),
    (.v6(0x2001_0db8_0000_0000_0001_0000_0000_0001, port: 1, scope: 0), "[2001:db8::1:0:0:1]:1"),
    (.v6(0xfe80_0000_0000_0000_0000_0000_0000_0001, port: 1, scope: 2), "[fe80::1%2]:1"),
    (.unix("/run/x.sock"), "unix:/run/x.sock"),
  ]

  @Test(arguments: addresses)
  func textForMessages(_ address: NetworkAddress, _ text: String) {
    #expect(address.description == text)
  }

  @Test(arguments: addresses)
  func theKernelsFormHoldsTheSameAddress(_ address: NetworkAddress, _: String) throws {
    #expect(try SocketAddress(address, for: "bind").networkAddress == address)
  }

  @Test func portsAndHostsAreInNetworkOrder() throws {
    let address = try SocketAddress(.v4(0x7f00_0001, port: 0x1234), for: "bind")
    let bytes = unsafe withUnsafeBytes(of: address.storage) { unsafe Array($0.prefix(8)) }
    #expect(bytes[2...] == [0x12, 0x34, 0x7f, 0, 0, 1])
  }

  @Test func anIPv4MappedAddressIsIPv4() throws {
    let mapped = NetworkAddress.v6(0xffff_0a09_0807, port: 80, scope: 0)
    #expect(try SocketAddress(mapped, for: "bind").networkAddress == .v4(0x0a09_0807, port: 80))
  }

  @Test(arguments: [
    0x0a09_0807,  // IPv4-compatible, deprecated (RFC 4291 section 2.5.5.1)
    0x0001_ffff_0a09_0807,
    0xffff_0000_0a09_0807,  // IPv4-translated (RFC 2765)
  ])
  func itsNeighboursAreNot(_ host: UInt128) throws {
    let address = NetworkAddress.v6(host, port: 80, scope: 0)
    #expect(try SocketAddress(address, for: "bind").networkAddress == address)
  }

  @Test(arguments: [NetworkAddress.v4(1, port: 2), .v6(1, port: 2, scope: 3)])
  func aStructureThatIsTooShortIsNoAddress(_ address: NetworkAddress) throws {
    var form = try SocketAddress(address, for: "bind")
    for length in 0..<form.length {
      form.length = length
      #expect(form.networkAddress == nil, "\(length) bytes")
    }
  }

  @Test func aLengthBeyondTheStorageIsNotBelieved() throws {
    var form = try SocketAddress(.unix("/run/x.sock"), for: "bind")
    form.length = .max
    #expect(form.networkAddress == .unix("/run/x.sock"))
  }

  @Test func unnamedAndAbstractPeers() throws {
    var form = try SocketAddress(.unix("xabstract"), for: "bind")
    form.length = 2
    #expect(form.networkAddress == .unix(""))
    unsafe withUnsafeMutableBytes(of: &form.storage) { unsafe $0[2] = 0 }
    form.length = 2 + 9
    #expect(form.networkAddress == .unix("@abstract"))
    form.length = 3
    #expect(form.networkAddress == .unix(""))
  }

  @Test func aFamilyThatWeNeverListenOnIsNoAddress() throws {
    var form = try SocketAddress(.v4(1, port: 2), for: "bind")
    form.storage.ss_family = sa_family_t(AF_APPLETALK)
    #expect(form.networkAddress == nil)
  }

  @Test func aPathHasNoPort() {
    #expect(NetworkAddress.unix("/x").port == nil)
    #expect(NetworkAddress.unix("/x").withPort(5) == .unix("/x"))
    #expect(NetworkAddress.v6(1, port: 4, scope: 9).withPort(5) == .v6(1, port: 5, scope: 9))
  }
}
