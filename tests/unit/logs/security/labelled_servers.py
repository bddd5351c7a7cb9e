"""What servers say of log-ins in words of their own, with what it says.

Written after what their sources print. `{U}` is a name, `{A}` an address, both of which a form carries whatever they are.
"""

from __future__ import annotations

#: With the program in the head of a line of syslog; each is understood without a head as well, in a log of the server's own.
OF_A_NAME = (
    ("LOGIN authenticator failed for (client) [{A}]: 535 Incorrect authentication data (set_id={U})", "failed", "exim"),
    ("plain_server authenticator failed for h.example ([198.51.100.1]) [{A}]:41556 I=[198.51.100.2]:25 Ci=7: "
     "535 Incorrect authentication data (set_id={U})", "failed", "exim4"),
    ("14NNx65Q065815: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): checkpass failed, user={U}, "
     "relay=h.example [{A}] (may be forged)", "failed", "sm-mta"),
    ("badlogin: h.example [{A}] plaintext {U} SASL(-13): authentication failure: checkpass failed", "failed", "cyrus/imap"),
    ("badlogin: [{A}] CRAM-MD5 ({U}) [SASL(-13): authentication failure: incorrect digest response]",
     "failed", "cyrus/pop3s"),
    ("Login failed user={U} auth=x host=h.example [{A}]", "failed", "ipop3d"),
    ("Invalid login as {U} from {A}", "failed", "webmin"),
    ("Non-existent login as {U} from {A}", "failed", "webmin"),
    ("user denied: {U} (mysql-denied) from {A}", "failed", "phpMyAdmin"),
    ("IMAP Error: Login failed for {U} from {A}. AUTHENTICATE PLAIN: Authentication failed. in /x.php on line 7", "failed",
     "roundcube"),
    ("<crk9n97i> Failed login for {U} against imap.example from {A} in session z506z6 (error: 0)", "failed", "roundcube"),
    ("[vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: {A}. Username: {U}.", "failed",
     "vaultwarden"),
    ("[INFO ] AUTHFAIL: user={U} ip={A} time=1649351466", "failed", "xrdp-sesman"),
    ("[Warning] Access denied for user '{U}'@'{A}' (using password: YES)", "failed", "mariadbd"),
    ("[Note] [MY-010926] [Server] Access denied for user '{U}'@'{A}' (using password: NO)", "failed", "mysqld"),
    ('FATAL:  no pg_hba.conf entry for host "{A}", user "{U}", database "shop", no encryption', "refused", "postgres"),
    ('[error] 7#7: *9 user "{U}": password mismatch, client: {A}, server: h.example, request: "GET / HTTP/1.1"',
     "failed", "nginx"),
    ('[error] 7#7: *9 user "{U}" was not found in "/etc/nginx/users", client: {A}, server: , request: "GET /, client: x"',
     "failed", "nginx"),
    ('[auth_basic:error] [pid 7:tid 8] [client {A}:51390] AH01617: user {U}: authentication failure for "/": Mismatch',
     "failed", "apache2"),
    ("[error] [client {A}] user {U} not found: /private, referer: http://h.example/", "failed", "httpd"),
    ("[auth_digest:error] [pid 7] [client {A}:51408] AH01790: user `{U}' in realm `r' not found: /", "failed", "apache2"),
    ("(mod_auth.c.853) password doesn't match for /private username: {U} IP: {A}", "failed", "lighttpd"),
    ("(mod_auth.c.791) digest: auth failed for  {U} : wrong password, IP: {A}", "failed", "lighttpd"),
    ("NOTICE[7]: chan_sip.c:28468 handle_request_register: Registration from '{U}' failed for '{A}' - Wrong password",
     "failed",
     "asterisk"),
    ('SECURITY[7] res_security_log.c: SecurityEvent="InvalidPassword",EventTV="1-2",Severity="Error",Service="SIP",'
     'EventVersion="2",AccountID="{U}",SessionID="0x8",LocalAddress="IPV4/UDP/198.51.100.1/5060",'
     'RemoteAddress="IPV4/UDP/{A}/5060",Challenge="x"', "failed", "asterisk"),
    ("authentication failure; rhost=[{A}]:47414 user={U} msg=authentication error", "failed", "proxmox-backup-proxy"),
    ('[pid 7] [{U}] FAIL LOGIN: Client "{A}"', "failed", "vsftpd"),
    ("FTP LOGIN FAILED FROM {A}, {U}", "failed", "ftpd"),
    ("auth({U},{A},sasl:plain)<CvN+E95Uf4e7eEnj>: sql: Password mismatch (given password: x)", "failed", "dovecot"),
    ("imap-login: Login aborted: Inactivity (auth failed, 3 attempts in 9 secs) (auth_failed): user=<{U}>, method=PLAIN, "
     "rip={A}, lip=198.51.100.1, TLS", "failed", "dovecot"),
    ("pop3-login: Info: Aborted login (auth failed, 1 attempts in 2 secs): user=<{U}>, method=PLAIN, rip={A}",
     "failed", "dovecot"),
)  # fmt: skip
#: Forms that name nobody.
OF_NOBODY = (
    ("[vaultwarden::api::admin][ERROR] Invalid admin token. IP: {A}", "failed", "vaultwarden"),
    ("{A}:34791 TLS Auth Error: Auth Username/Password verification failed for peer", "failed", "openvpn"),
    ("failed login from h.example [{A}]", "failed", "wu-ftpd"),
    ("repeated login failures from {A} (h.example)", "failed", "ftpd"),
    ("warning: unknown[{A}]: SASL PLAIN authentication failed:", "failed", "postfix/smtpd"),
    ('45addba89269aeaa smtp event=failed-command address={A} host=h.example command="AUTH PLAIN (...)" '
     'result="535 Authentication failed"', "failed", "smtpd"),
    ("s1GNeNqe005178: h.example [{A}]: possible SMTP attack: command=AUTH, count=5", "refused", "sendmail"),
)  # fmt: skip
#: Of these nobody failed.
OF_NOTHING = (
    ("warning: h[192.0.2.20]: SASL LOGIN authentication failed: Connection lost to authentication server", "postfix/smtpd"),
    ("warning: h[192.0.2.20]: SASL CRAM-MD5 authentication failed: Invalid authentication mechanism", "postfix/smtpd"),
    ("lost connection after AUTH from h.example[192.0.2.20]", "postfix/smtpd"),
    ("192.0.2.20:34791 TLS Error: TLS handshake failed", "openvpn"),
    ("Exit before auth from <192.0.2.20:46154>: Exited normally", "dropbear"),
    (
        "imap-login: Disconnected: Too many invalid commands. (no auth attempts in 0 secs): user=<>, rip=192.0.2.20",
        "dovecot",
    ),
    ('[error] 7#7: *9 open() "/srv/user" failed (2: No such file or directory), client: 192.0.2.20, server: h', "nginx"),
    ("[authz_core:error] [pid 7] [client 192.0.2.20:44271] AH01630: client denied by server configuration: /", "apache2"),
    ("User logged in: deploy", "vaultwarden"),
)
#: What auditd writes: the name as it does, what it is, whether the server knows it, the program's path and the result.
AUDIT = (
    "type={kind} msg=audit(1764244798.415:4063): pid=11998 uid=0 auid=4294967295 ses=4294967295 subj=sshd_t:s0 "
    "msg='op={op} acct={name} exe=\"{exe}\" hostname=? addr={A} terminal=ssh res={res}'"
)
