import Testing

@testable import ControlPlane

/// What a reload does of itself.
struct ReloadTests {
  /// An attempt over many large files must not become the work of the process.
  @Test(arguments: [(0, 5000), (20, 5000), (500, 5000), (501, 5010), (4000, 40_000)])
  func whatWasRefusedIsTriedAgainWithinBounds(took: Int, pause: Int) {
    #expect(Reload.pause(afterAttemptOf: .milliseconds(took)) == .milliseconds(pause))
  }
}
