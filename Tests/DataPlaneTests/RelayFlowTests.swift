import AccessPolicy
import DataPlane
import Testing

/// Half-close both ways, in every order.
struct RelayFlowTests {
  @Test func oneDirectionGoesOnAfterTheOtherEnded() {
    var flow = RelayFlow()
    #expect(flow.sourceEnded(.toUpstream, isFlushed: true) == .shutDownDestination(.toUpstream))
    #expect(flow.destinationWasShutDown() == .none)
    #expect(flow.toClient == .open)
  }

  @Test func theDestinationHearsOfTheEndOnlyAfterTheLastByte() {
    var flow = RelayFlow()
    #expect(flow.sourceEnded(.toClient, isFlushed: false) == .none)
    #expect(flow.toClient == .draining)
    #expect(flow.flushed(.toClient) == .shutDownDestination(.toClient))
    #expect(flow.flushed(.toClient) == .none)
  }

  @Test(arguments: [
    (RelayDirection.toUpstream, CloseReason.clientClosed), (.toClient, .upstreamClosed),
  ])
  func whoEndedFirstGivesTheReason(_ first: RelayDirection, _ reason: CloseReason) {
    var flow = RelayFlow()
    _ = flow.sourceEnded(first, isFlushed: true)
    #expect(flow.sourceEnded(first.opposite, isFlushed: true) == .shutDownDestination(first.opposite))
    #expect(flow.destinationWasShutDown() == .end(reason))
  }

  @Test func anEndIsHeardOnce() {
    var flow = RelayFlow()
    _ = flow.sourceEnded(.toUpstream, isFlushed: true)
    #expect(flow.sourceEnded(.toUpstream, isFlushed: true) == .none)
  }

  @Test func flushingWhileOpenEndsNothing() {
    var flow = RelayFlow()
    #expect(flow.flushed(.toUpstream) == .none)
    #expect(flow.toUpstream == .open)
  }

  @Test func aResetIsPassedOn() {
    let flow = RelayFlow()
    #expect(flow.broken(.toUpstream) == (.clientReset, true))
    #expect(flow.broken(.toClient) == (.upstreamReset, true))
  }

  @Test func aPeerThatHadEndedHasClosedNotFailed() {
    var flow = RelayFlow()
    _ = flow.sourceEnded(.toClient, isFlushed: true)
    #expect(flow.broken(.toClient) == (.upstreamClosed, false))
    #expect(flow.broken(.toUpstream) == (.clientReset, true))
  }
}
