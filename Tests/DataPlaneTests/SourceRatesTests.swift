import AccessPolicy
import EventLoop
import GatewayConfiguration
import Testing

@testable import DataPlane

/// The token buckets of sources.
struct SourceRatesTests {
  private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
  private let rate = ConnectionRate(count: 4, per: .seconds(1))

  private func v4(_ bits: UInt32) -> IPAddress { IPAddress(v4: bits) }
  private func v6(_ high: UInt64, _ low: UInt64) -> IPAddress {
    IPAddress(v6: UInt128(high) << 64 | UInt128(low))
  }

  /// - Returns: how many connections a source gets at one moment.
  private func burst(_ rates: SourceRates, _ source: IPAddress, _ rate: ConnectionRate, after: Duration)
    -> Int
  {
    var taken = 0
    while taken < 1000, rates.take(source, rate, at: Self.start + after) { taken += 1 }
    return taken
  }

  @Test func theNumberOfTheRatePassesAtOnceAndThenOneAnInterval() {
    let rates = SourceRates()
    #expect(burst(rates, v4(1), rate, after: .zero) == 4)
    #expect(burst(rates, v4(1), rate, after: .milliseconds(249)) == 0)
    #expect(burst(rates, v4(1), rate, after: .milliseconds(250)) == 1)
    #expect(burst(rates, v4(1), rate, after: .milliseconds(750)) == 2)
    #expect(burst(rates, v4(1), rate, after: .seconds(60)) == 4)
  }

  static let periods = [
    ConnectionRate(count: 1, per: .seconds(1)), ConnectionRate(count: 300, per: .seconds(60)),
    ConnectionRate(count: 7, per: .seconds(3600)), ConnectionRate(count: 1_000_000, per: .seconds(3600)),
  ]

  /// However it is spread, no span lets through more than the burst and what the rate refills.
  @Test(arguments: periods)
  func noSpanLetsThroughMore(_ rate: ConnectionRate) {
    let rates = SourceRates()
    var passed = 0
    for step in 0..<3000 where rates.take(v4(9), rate, at: Self.start + rate.period / 1000 * step) {
      passed += 1
    }
    #expect(passed <= rate.count * 4 && passed >= min(3000, rate.count * 39 / 10))
  }

  @Test func aSourceIsAnAddressOfIPv4OrANetworkOfIPv6() {
    let rates = SourceRates()
    #expect(burst(rates, v4(0x7f00_0001), rate, after: .zero) == 4)
    #expect(burst(rates, v4(0x7f00_0002), rate, after: .zero) == 4)
    // ::ffff:127.0.0.1 is 127.0.0.1.
    #expect(burst(rates, v6(0, 0xffff_7f00_0001), rate, after: .zero) == 0)
    #expect(burst(rates, v6(0x2001_0db8_0000_0001, 1), rate, after: .zero) == 4)
    #expect(burst(rates, v6(0x2001_0db8_0000_0001, .max), rate, after: .zero) == 0)
    #expect(burst(rates, v6(0x2001_0db8_0000_0002, 1), rate, after: .zero) == 4)
  }

  @Test func whatDidNotComeAboutIsGivenBack() {
    let rates = SourceRates()
    #expect(burst(rates, v4(1), rate, after: .zero) == 4)
    rates.giveBack(v4(1), rate)
    #expect(burst(rates, v4(1), rate, after: .zero) == 1)
  }

  @Test func whatIsGivenBackTooLateIsForgotten() {
    let rates = SourceRates()
    #expect(rates.take(v4(1), rate, at: Self.start))
    for second in 1...3 { _ = rates.take(v4(2), rate, at: Self.start + .seconds(second)) }
    rates.giveBack(v4(1), rate)
    #expect(burst(rates, v4(1), rate, after: .seconds(3)) == 4)
  }

  @Test func idleSourcesAreForgotten() {
    let rates = SourceRates(capacity: 1000)
    for source in 0..<1000 { _ = rates.take(v4(UInt32(source)), rate, at: Self.start) }
    #expect(rates.sources == 1000)
    for second in 1...2 { _ = rates.take(v4(5000), rate, at: Self.start + .seconds(second)) }
    #expect(rates.sources <= 2)
  }

  @Test func aFullTableResetsNobodyAndDeniesNotEverybody() {
    let rates = SourceRates(capacity: 100)
    #expect(burst(rates, v4(0), rate, after: .zero) == 4)
    for source in 1..<100 { _ = rates.take(v4(UInt32(source)), rate, at: Self.start) }
    let late = (1000..<1010).map { burst(rates, v4(UInt32($0)), rate, after: .zero) }
    #expect(rates.sources == 100)
    #expect(burst(rates, v4(0), rate, after: .zero) == 0)
    // They share 4096 buckets: that two of ten meet is rare, and that all do does not happen.
    #expect(late.allSatisfy { $0 <= 4 } && late.contains(4))
    for source in 1000..<1010 { #expect(burst(rates, v4(UInt32(source)), rate, after: .zero) == 0) }
  }

  @Test func whoeverSharedABucketKeepsItsDebt() {
    let rates = SourceRates(capacity: 1)
    // Two periods on, the table has room again; the debt of an hour's rate is not paid by then.
    let hourly = ConnectionRate(count: 2, per: .seconds(3600))
    #expect(rates.take(v4(1), rate, at: Self.start))
    #expect(burst(rates, v4(2), hourly, after: .zero) == 2)
    #expect(burst(rates, v4(2), hourly, after: .seconds(5)) == 0)
  }

  /// A rate that a reload makes shorter does not keep anybody out for the old one's span.
  @Test func anotherRateHoldsAtOnce() {
    let rates = SourceRates()
    #expect(burst(rates, v4(1), ConnectionRate(count: 1, per: .seconds(3600)), after: .zero) == 1)
    #expect(burst(rates, v4(1), rate, after: .milliseconds(1)) == 0)
    #expect(burst(rates, v4(1), rate, after: .seconds(2)) == 4)
  }
}
