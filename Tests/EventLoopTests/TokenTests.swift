import EventLoop
import Testing

@Suite struct TokenTests {
  @Test func aTokenIsOneNumberAndBack() {
    let token = Token(slot: 0x0102_0304, generation: 0xa0b0_c0d0)
    #expect(token.raw == 0x0102_0304_a0b0_c0d0)
    #expect(Token(raw: token.raw) == token)
  }
}
