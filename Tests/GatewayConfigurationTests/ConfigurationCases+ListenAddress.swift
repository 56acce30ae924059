extension ConfigurationDiagnosticsTests.Case {
  static let listenAddress = [
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    lisen: 0.0.0.0:6432",
      expect: [
        "3:5: missing-key: a listener needs the key \"listen\"",
        "4:5: unknown-key: unknown key \"lisen\" in a listener (did you mean \"listen\"?)",
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: db.internal:6432",
      expect: [
        "4:13: invalid-value: found \"db.internal:6432\", expected an IP address and a port, "
          + "such as 0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (a DNS name may change under a running gateway; "
          + "write the IP address)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: 0.0.0.0",
      expect: [
        "4:13: invalid-value: found \"0.0.0.0\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (add the port)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: :6432",
      expect: [
        "4:13: invalid-value: found \":6432\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (name the address: 0.0.0.0:6432 is every IPv4 address)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: 6432",
      expect: [
        "4:13: invalid-value: found \"6432\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (add the address, such as 127.0.0.1:6432)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: \"::1\"",
      expect: [
        "4:13: invalid-value: found \"::1\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (write an IPv6 address in brackets, the port behind them: "
          + "\"[::1]:6432\")"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: localhost",
      expect: [
        "4:13: invalid-value: found \"localhost\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (add the port)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: 0.0.0.0:0",
      expect: [
        "4:13: invalid-value: found \"0.0.0.0:0\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (a port is a number from 1 to 65535)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: 0.0.0.0:65536",
      expect: [
        "4:13: invalid-value: found \"0.0.0.0:65536\", expected an IP address and a port, such "
          + "as 0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (a port is a number from 1 to 65535)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: 0.0.0.0:http",
      expect: [
        "4:13: invalid-value: found \"0.0.0.0:http\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (a port is a number from 1 to 65535)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: \"::1:6432\"",
      expect: [
        "4:13: invalid-value: found \"::1:6432\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (write an IPv6 address in brackets, the port behind them: "
          + "\"[::1]:6432\")"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: \"[127.0.0.1]:6432\"",
      expect: [
        "4:13: invalid-value: found \"[127.0.0.1]:6432\", expected an IP address and a port, "
          + "such as 0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (the brackets are for an IPv6 address, such as "
          + "[::1]:6432)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: 10.0.0.256:6432",
      expect: [
        "4:13: invalid-value: found \"10.0.0.256:6432\", expected an IP address and a port, such "
          + "as 0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (\"10.0.0.256\" is neither an IP address nor a DNS "
          + "name)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: [::]:6432",
      expect: [
        "4:14: yaml-syntax: this is not YAML: did not find expected node content while parsing a "
          + "flow node (quote a text that begins with \"[\" or \"{\", such as \"[::]:6432\")"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: unix:",
      expect: [
        "4:17: yaml-syntax: this is not YAML: mapping values are not allowed in this context "
          + "(quote a text that holds \": \", and check the indentation)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: \"systemd:\"",
      expect: [
        "4:13: invalid-value: found \"systemd:\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (write the socket's FileDescriptorName= behind systemd:)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with:
        "    listen: \"unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
      expect: [
        "4:13: out-of-range: the path of the Unix socket has 108 bytes, expected at most 107 "
          + "(the kernel's limit (unix(7)); choose a shorter path)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: \"unix:@front\"",
      expect: [
        "4:13: invalid-value: found \"unix:@front\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (an abstract socket has no file, "
          + "and so no owner and no mode; write a path)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: \"unix:\"",
      expect: [
        "4:13: invalid-value: found \"unix:\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (write a path behind unix:, such as "
          + "unix:/run/app.sock)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: systemd:a:b",
      expect: [
        "4:13: invalid-value: found \"systemd:a:b\", expected an IP address and a port, such as "
          + "0.0.0.0:6432 or \"[::]:6432\", or unix:PATH, or systemd:NAME (write the socket's "
          + "FileDescriptorName= behind systemd:)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: 0.0.0.0:6432\n    socket: {mode: \"0660\"}",
      expect: [
        "5:5: contradiction: socket is for a Unix socket that countersign opens, and this listener has none "
          + "(remove it; for systemd: set SocketMode=, SocketUser= and SocketGroup= of the socket unit)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: systemd:front\n    socket: {group: www-data}",
      expect: [
        "5:5: contradiction: socket is for a Unix socket that countersign opens, and this listener has none "
          + "(remove it; for systemd: set SocketMode=, SocketUser= and SocketGroup= of the socket unit)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: unix:/run/x.sock\n    socket: {mode: 432, owner: me}",
      expect: [
        "5:25: unknown-key: unknown key \"owner\" in socket (known here: mode, user, group)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: unix:/run/x.sock\n    socket: {mode: 0o660}",
      expect: [
        "5:20: invalid-value: found \"0o660\", expected permission bits such as \"0660\" (three octal digits: "
          + "for the user, the group and everyone)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: unix:/run/x.sock\n    socket: {mode: 4660}",
      expect: [
        "5:20: invalid-value: found \"4660\", expected permission bits such as \"0660\" (three octal digits: "
          + "for the user, the group and everyone)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: unix:/run/x.sock\n    socket: {mode: 0680}",
      expect: [
        "5:20: invalid-value: found \"0680\", expected permission bits such as \"0660\" (three octal digits: "
          + "for the user, the group and everyone)"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: unix:/run/x.sock\n    socket: {mode: \"0444\"}",
      expect: [
        "5:20: invalid-value: with the mode \"0444\" nobody may connect (connecting takes the right to "
          + "write (2), as in \"0660\")"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: unix:/run/x.sock\n    socket: \"0660\"",
      expect: [
        "5:13: wrong-type: found \"0660\", expected a mapping for socket"
      ]),
    Self(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: unix:/run/x.sock\n    socket: {user: [a]}",
      expect: [
        "5:20: wrong-type: found a list, expected a user's name or number"
      ]),
  ]
}
