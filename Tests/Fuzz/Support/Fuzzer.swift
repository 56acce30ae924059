internal import CLibFuzzer
internal import Glibc

/// Runs libFuzzer with the arguments of the process; `judge` is called with the bytes of each input, and stops the
/// process where a promise is broken.
package func runFuzzer(_ judge: @escaping ([UInt8]) -> Void) -> Never {
  // Set once, before the only thread that ever reads it begins.
  unsafe currentJudge = judge
  var count = CommandLine.argc
  var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
  exit(unsafe LLVMFuzzerRunDriver(&count, &arguments, judgeOne))
}

private nonisolated(unsafe) var currentJudge: ([UInt8]) -> Void = { _ in }

/// Under the name that libFuzzer's own main, which is linked but never called, asks for.
@_cdecl("LLVMFuzzerTestOneInput")
func judgeOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe currentJudge(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
